#pragma once

#include "backend/backendsocket.h"
#include "backend/backoff.h"
#include "backend/commandevents.h"

#include <QDateTime>
#include <QObject>
#include <QStringList>
#include <QTimer>
#include <QUrl>

/// What happens at the backend's own microphone, from the port for events; connects again by itself.
///
/// The backend publishes everything of its microphone there, but of the clients of /stream and of files only
/// their transcripts and what comes of them. So the source of these has to be looked at, and all else is the
/// microphone's.
class EventsClient : public QObject
{
    Q_OBJECT

public:
    explicit EventsClient(QObject *parent = nullptr);

    /// Connect, and again whenever the connection is lost; nothing where this connection stands already.
    void start(const QUrl &url, const QString &apiKey);
    void stop();

signals:
    void connected(); ///< with the snapshot, whose content follows
    void disconnected();
    void wakeWordDetected(const QString &name);
    void stateChanged(const QString &state);
    void partialText(const QString &text);
    void transcribed(const QString &text, const QString &language, double latency, const QDateTime &time,
                     const QString &utterance);
    void understood(const Understood &understood);
    void acted(const Acted &acted);
    void answered(const QString &text, const QString &earcon, const QString &utterance);
    /// A sentence for the driver; the stage is for programs.
    void failed(const QString &stage, const QString &message);
    void levelMeasured(double dbfs, qreal level);
    void listeningChanged(bool available, bool enabled);
    void wakeWordsRead(const QStringList &wakeWords);

private:
    void connectNow();
    void onMessage(const QJsonObject &message);
    void onSnapshot(const QJsonObject &message);
    void onTranscript(const QJsonObject &message);
    void onIntent(const QJsonObject &message);
    void onAnswer(const QJsonObject &message);
    void onError(const QJsonObject &message);
    void onLost();

    BackendSocket m_socket;
    QTimer m_retry;
    Backoff m_backoff;
    QUrl m_url;
    QString m_apiKey;
    QString
        m_understood; ///< The microphone's newest utterance with an intent: actions do not name their source.
    bool m_isConnected = false;
};
