#pragma once

/// The audio that AudioEngine delivers: mono, 32-bit float.
namespace AudioFormat {

constexpr int SampleRate = 16000; ///< Hz
constexpr int ChunkMs = 100; ///< length of a chunk
constexpr int PeaksPerSecond = 100; ///< of the waveform

} // namespace AudioFormat
