#include "audio/sampleconverter.h"

#include <algorithm>
#include <cmath>
#include <cstring>

template<typename Sample>
static float read(const char *bytes)
{
    Sample sample;
    std::memcpy(&sample, bytes, sizeof sample);
    return float(sample);
}

/// QAudioFormat's own normalizedSampleValue() gives a silence of 8 bits an offset.
static float valueOf(const char *sample, QAudioFormat::SampleFormat format)
{
    switch (format) {
    case QAudioFormat::UInt8:
        return (read<quint8>(sample) - 128) / 128;
    case QAudioFormat::Int16:
        return read<qint16>(sample) / 32768;
    case QAudioFormat::Int32:
        return read<qint32>(sample) / 2147483648.0F;
    case QAudioFormat::Float:
        return read<float>(sample);
    default:
        return 0;
    }
}

SampleConverter::SampleConverter(const QAudioFormat &format)
    : m_format(format)
{
}

QList<float> SampleConverter::toMono(const QByteArray &bytes)
{
    const int frameSize = m_format.bytesPerFrame();
    if (frameSize <= 0)
        return {};
    const QByteArray all = m_rest + bytes;
    const qsizetype frames = all.size() / frameSize;
    m_rest = all.sliced(frames * frameSize);

    const int channels = m_format.channelCount();
    const int sampleSize = m_format.bytesPerSample();
    const char *sample = all.constData();
    QList<float> mono(frames);
    for (float &value : mono) {
        float sum = 0;
        for (int channel = 0; channel < channels; ++channel, sample += sampleSize)
            sum += valueOf(sample, m_format.sampleFormat());
        // A float format can hold anything, and one not-a-number would stay in the resampler's memory.
        value = std::isfinite(sum) ? std::clamp(sum / float(channels), -1.0F, 1.0F) : 0.0F;
    }
    return mono;
}
