#include "audio/wavfile.h"

#include <QtEndian>

#include <algorithm>

constexpr quint16 FormatPcm = 1;
constexpr quint16 FormatFloat = 3;
constexpr quint16 FormatExtensible = 0xFFFE; // the true one follows, in the first two bytes of an UUID
constexpr qint64 LongestFormatChunk = 1024;
constexpr quint32 LowestRate = 1000;
constexpr quint32 HighestRate = 384000;

template<typename Number>
static Number littleEndian(const QByteArray &bytes, qsizetype at)
{
    return qFromLittleEndian<Number>(bytes.constData() + at);
}

QString WavFile::open(const QString &path)
{
    m_file.close();
    m_file.setFileName(path);
    m_format = QAudioFormat();
    m_bytesLeft = 0;
    if (!m_file.open(QIODevice::ReadOnly))
        return tr("The sound file “%1” cannot be opened. Choose one that is there and may be read.")
            .arg(path);
    if (!readHeader())
        return tr("“%1” is not a WAV file of 16-bit or float samples. Convert it, or choose another file.")
            .arg(path);
    return {};
}

QByteArray WavFile::read(qint64 frames)
{
    const QByteArray bytes = m_file.read(std::min(frames * m_format.bytesPerFrame(), m_bytesLeft));
    m_bytesLeft = bytes.isEmpty() ? 0 : m_bytesLeft - bytes.size();
    return bytes;
}

/// Leaves the file at its first sample.
bool WavFile::readHeader()
{
    const QByteArray riff = m_file.read(12);
    if (riff.size() < 12 || !riff.startsWith("RIFF") || riff.sliced(8) != "WAVE")
        return false;
    for (;;) {
        const QByteArray head = m_file.read(8);
        if (head.size() < 8)
            return false;
        const qint64 size = littleEndian<quint32>(head, 4);
        if (head.startsWith("data")) {
            // A file that was written to a pipe claims the greatest size.
            m_bytesLeft = std::min(size, m_file.size() - m_file.pos());
            return m_format.isValid();
        }
        if (head.startsWith("fmt ")) {
            if (size > LongestFormatChunk || !readFormat(m_file.read(size)))
                return false;
        } else if (!m_file.seek(m_file.pos() + size)) {
            return false;
        }
        if (size % 2 != 0) // chunks begin at even places
            m_file.skip(1);
    }
}

bool WavFile::readFormat(const QByteArray &chunk)
{
    if (chunk.size() < 16)
        return false;
    quint16 tag = littleEndian<quint16>(chunk, 0);
    if (tag == FormatExtensible && chunk.size() >= 26)
        tag = littleEndian<quint16>(chunk, 24);
    const auto channels = littleEndian<quint16>(chunk, 2);
    const auto rate = littleEndian<quint32>(chunk, 4);
    const auto bits = littleEndian<quint16>(chunk, 14);
    if (channels == 0 || rate < LowestRate || rate > HighestRate)
        return false;
    if (tag == FormatPcm && bits == 16)
        m_format.setSampleFormat(QAudioFormat::Int16);
    else if (tag == FormatFloat && bits == 32)
        m_format.setSampleFormat(QAudioFormat::Float);
    else
        return false;
    m_format.setSampleRate(int(rate));
    m_format.setChannelCount(channels);
    return littleEndian<quint16>(chunk, 12) == m_format.bytesPerFrame();
}
