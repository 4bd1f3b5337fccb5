#pragma once

#include "history/transcriptionlog.h"

#include <QAbstractListModel>
#include <QDateTime>
#include <QList>
#include <QQmlEngine>
#include <QString>
#include <QThreadPool>

/// What was understood, newest first, at most `maximumCount` entries; kept in a file across restarts if one
/// is set.
class TranscriptionModel : public QAbstractListModel
{
    Q_OBJECT
    QML_ELEMENT
    Q_PROPERTY(int count READ count NOTIFY countChanged)
    /// 200 by default, at least 1.
    Q_PROPERTY(int maximumCount READ maximumCount WRITE setMaximumCount NOTIFY maximumCountChanged)
    /// The file that keeps the history; empty, the default: memory only. Set, its entries join those of the
    /// memory; changed to another file, they replace them.
    Q_PROPERTY(QString storagePath READ storagePath WRITE setStoragePath NOTIFY storagePathChanged)

public:
    enum Role { TextRole = Qt::UserRole + 1, TimeRole, LanguageRole, LatencyRole, AnswerRole, EarconRole };
    Q_ENUM(Role)
    // QML role names: text (string), time (date), language (string, Whisper's code), latency (real, seconds
    // from the end of speech), answer (string, empty: none), earcon (string: done, failed, heard or question)

    explicit TranscriptionModel(QObject *parent = nullptr);
    /// Waits until everything is in the file.
    ~TranscriptionModel() override;

    int rowCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QHash<int, QByteArray> roleNames() const override;

    int count() const { return int(m_entries.size()); }
    int maximumCount() const { return m_maximumCount; }
    void setMaximumCount(int count);
    QString storagePath() const { return m_storagePath; }
    void setStoragePath(const QString &path);

    /// An empty text is no entry. A time that is not valid is now. By its utterance it is answered later.
    Q_INVOKABLE void addTranscription(const QString &text, const QDateTime &time,
                                      const QString &language = {}, qreal latency = 0,
                                      const QString &utterance = {});
    /// Add what was answered to an utterance; nothing where there is no entry of it.
    Q_INVOKABLE void addAnswer(const QString &utterance, const QString &text, const QString &earcon);
    Q_INVOKABLE void clearHistory();

signals:
    void transcriptionAdded(const QString &text);
    void countChanged();
    void maximumCountChanged();
    void storagePathChanged();
    /// The history cannot be kept; a sentence for the driver.
    void storageFailed(const QString &message);

private:
    void replaceAll(const QList<Transcription> &entries);
    void shrinkTo(int count);
    void store();

    QList<Transcription> m_entries; ///< the newest is the first
    QString m_storagePath;
    QThreadPool m_writer; ///< one thread: a card may take long to write, and the screen waits for nobody
    int m_maximumCount = 200;
};
