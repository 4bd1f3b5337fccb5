#pragma once

#include <QAudioFormat>
#include <QByteArray>
#include <QCoreApplication>
#include <QFile>
#include <QString>

/// Reads a WAV file: 16-bit PCM or 32-bit float, any rate, one or more channels.
class WavFile
{
    Q_DECLARE_TR_FUNCTIONS(WavFile)

public:
    /// Empty, or why not: a sentence for the driver.
    QString open(const QString &path);

    QAudioFormat format() const { return m_format; }
    /// The next frames, fewer or none at the end.
    QByteArray read(qint64 frames);

private:
    bool readHeader();
    bool readFormat(const QByteArray &chunk);

    QFile m_file;
    QAudioFormat m_format;
    qint64 m_bytesLeft = 0;
};
