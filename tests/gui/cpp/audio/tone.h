#pragma once

#include <QByteArray>
#include <QList>

/// A sine of `seconds`, beginning at 0.
QList<float> tone(double frequency, int sampleRate, double seconds, double amplitude = 0.5);

struct Fit
{
    double amplitude = 0; ///< of the tone
    double rest = 0; ///< the root of the mean square of everything else
};

/// How much of `samples` is a tone of that frequency. Leaves out the first and last tenth, where filters
/// swing in.
Fit fitTone(double frequency, int sampleRate, const QList<float> &samples);

/// The root of the mean square, without the first and last tenth.
double rootMeanSquare(const QList<float> &samples);

/// 20 log10(ratio).
double decibels(double ratio);

struct WavLayout
{
    quint16 tag = 1; ///< 1: PCM, 3: float
    quint16 channels = 1;
    quint32 rate = 16000;
    quint16 bits = 16;
    /// Between the format and the data.
    QByteArray otherChunk = {};
    /// Of the data chunk, where the file shall lie about it.
    qint64 claimedSize = -1;
};

/// A WAV file with these bytes as its data.
QByteArray wav(const WavLayout &layout, const QByteArray &data);

/// Little-endian 16-bit PCM.
QByteArray pcm16(const QList<float> &samples);
