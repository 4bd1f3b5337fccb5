#pragma once

#include <QDateTime>
#include <QList>
#include <QString>

/// What was understood once.
struct Transcription
{
    QString text;
    QDateTime time;
    QString language; ///< Whisper's code; empty: unknown
    qreal latency = 0; ///< seconds from the end of speech

    bool operator==(const Transcription &other) const;
};

/// The history as a file of JSON lines, the oldest first; several threads may use it, not at the same time.
class TranscriptionLog
{
public:
    explicit TranscriptionLog(const QString &path);

    /// At most `count` of the newest, the newest first. Lines that make no sense are left out.
    QList<Transcription> load(qsizetype count) const;
    /// All or nothing, even when the power goes; readable by the owner alone. False if it cannot be written.
    bool save(const QList<Transcription> &newestFirst) const;

private:
    QString m_path;
};
