#pragma once

#include <QDateTime>
#include <QList>
#include <QString>

/// What was understood once, and what was answered.
struct Transcription
{
    QString text;
    QDateTime time;
    QString language; ///< Whisper's code; empty: unknown
    qreal latency = 0; ///< seconds from the end of speech
    QString answer; ///< empty: none
    QString earcon; ///< of the answer: done, failed, heard or question
    QString utterance; ///< the backend's id; not in the file, as a backend that starts again may use it again

    /// Whether all is the same that the file holds.
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
