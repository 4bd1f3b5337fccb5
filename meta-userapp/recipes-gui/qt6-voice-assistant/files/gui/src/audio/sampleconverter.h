#pragma once

#include <QAudioFormat>
#include <QByteArray>
#include <QList>

/// Bytes of any audio format to mono samples of -1 to 1; channels are averaged.
class SampleConverter
{
public:
    explicit SampleConverter(const QAudioFormat &format);

    /// A frame that is cut in two by the end of `bytes` comes with the next call.
    QList<float> toMono(const QByteArray &bytes);

private:
    QAudioFormat m_format;
    QByteArray m_rest; ///< less than a frame
};
