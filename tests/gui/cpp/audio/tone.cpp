#include "audio/tone.h"

#include <QDataStream>
#include <QIODevice>

#include <cmath>
#include <numeric>

constexpr double Pi = 3.14159265358979323846;

static QList<float> middle(const QList<float> &samples)
{
    return samples.mid(samples.size() / 10, samples.size() * 8 / 10);
}

QList<float> tone(double frequency, int sampleRate, double seconds, double amplitude)
{
    QList<float> samples(qsizetype(std::lround(seconds * sampleRate)));
    for (qsizetype i = 0; i < samples.size(); ++i)
        samples[i] = float(amplitude * std::sin(2 * Pi * frequency * double(i) / sampleRate));
    return samples;
}

Fit fitTone(double frequency, int sampleRate, const QList<float> &samples)
{
    // Least squares of a * sine + b * cosine: for a part of a period the two are not independent.
    const QList<float> part = middle(samples);
    double ss = 0;
    double sc = 0;
    double cc = 0;
    double sx = 0;
    double cx = 0;
    const auto angle = [&](qsizetype i) { return 2 * Pi * frequency * double(i) / sampleRate; };
    for (qsizetype i = 0; i < part.size(); ++i) {
        const double s = std::sin(angle(i));
        const double c = std::cos(angle(i));
        ss += s * s;
        sc += s * c;
        cc += c * c;
        sx += s * part[i];
        cx += c * part[i];
    }
    const double determinant = ss * cc - sc * sc;
    const double a = (sx * cc - cx * sc) / determinant;
    const double b = (cx * ss - sx * sc) / determinant;
    double rest = 0;
    for (qsizetype i = 0; i < part.size(); ++i) {
        const double difference = part[i] - a * std::sin(angle(i)) - b * std::cos(angle(i));
        rest += difference * difference;
    }
    return {std::hypot(a, b), std::sqrt(rest / double(part.size()))};
}

double rootMeanSquare(const QList<float> &samples)
{
    const QList<float> part = middle(samples);
    return std::sqrt(std::inner_product(part.begin(), part.end(), part.begin(), 0.0) / double(part.size()));
}

double decibels(double ratio)
{
    return 20 * std::log10(ratio);
}

QByteArray wav(const WavLayout &layout, const QByteArray &data)
{
    const auto frameSize = quint16(layout.channels * layout.bits / 8);
    const qint64 claimed = layout.claimedSize < 0 ? data.size() : layout.claimedSize;
    QByteArray file;
    QDataStream stream(&file, QIODevice::WriteOnly);
    stream.setByteOrder(QDataStream::LittleEndian);
    const auto text = [&stream](const QByteArray &bytes) {
        stream.writeRawData(bytes.constData(), int(bytes.size()));
    };
    text("RIFF");
    stream << quint32(36 + layout.otherChunk.size() + data.size());
    text("WAVEfmt ");
    stream << quint32(16) << layout.tag << layout.channels << layout.rate << quint32(layout.rate * frameSize)
           << frameSize << layout.bits;
    text(layout.otherChunk);
    text("data");
    stream << quint32(claimed);
    text(data);
    return file;
}

QByteArray pcm16(const QList<float> &samples)
{
    QByteArray bytes;
    QDataStream stream(&bytes, QIODevice::WriteOnly);
    stream.setByteOrder(QDataStream::LittleEndian);
    for (const float sample : samples)
        stream << qint16(std::lround(sample * 32767));
    return bytes;
}
