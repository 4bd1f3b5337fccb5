#pragma once

#include "backend/healthmonitor.h"

#include <QByteArray>
#include <QDateTime>
#include <QDeadlineTimer>
#include <QElapsedTimer>
#include <QObject>
#include <QQmlEngine>
#include <QString>
#include <QStringList>
#include <QUrl>

#include <chrono>

class BackendInfo;
class EventsClient;
class StreamClient;

/// Everything the GUI asks of the backend `rtap`: REST and `/stream` on the backend's port, events on port
/// 5802.
///
/// Owns a health monitor that starts with `active` and never gives up: it asks for GET /health at least once
/// a second (time-out 1 s) and reconnects with backoff (0.5, 1, 2, 5 s), so that a backend that dies or hangs
/// is noticed within 2 s and one that comes is used by itself.
class NetworkManager : public QObject
{
    Q_OBJECT
    QML_ELEMENT
    Q_PROPERTY(QString backendUrl READ backendUrl WRITE setBackendUrl NOTIFY backendUrlChanged)
    Q_PROPERTY(QString apiKey READ apiKey WRITE setApiKey NOTIFY apiKeyChanged)
    /// Default: the backend's host, port 5802.
    Q_PROPERTY(int eventsPort READ eventsPort WRITE setEventsPort NOTIFY eventsPortChanged)
    /// Whether to be connected at all; false by default.
    Q_PROPERTY(bool active READ isActive WRITE setActive NOTIFY activeChanged)
    Q_PROPERTY(BackendState backendState READ backendState NOTIFY backendStateChanged)
    /// Shorthand: backendState is Ready.
    Q_PROPERTY(bool isConnected READ isConnected NOTIFY backendStateChanged)
    /// Why the backend is not ready, a sentence for the driver; empty when it is.
    Q_PROPERTY(QString backendMessage READ backendMessage NOTIFY backendStateChanged)
    Q_PROPERTY(QString backendVersion READ backendVersion NOTIFY modelInfoChanged)
    Q_PROPERTY(QString modelName READ modelName NOTIFY modelInfoChanged)
    /// Whether the loaded model knows few words, as the backend warns.
    Q_PROPERTY(bool modelIsSmall READ modelIsSmall NOTIFY modelInfoChanged)
    /// Whisper's codes that the loaded model knows.
    Q_PROPERTY(QStringList languages READ languages NOTIFY modelInfoChanged)
    /// Models that the backend has (GET /v1/models; the loaded one alone where it does not know that path).
    Q_PROPERTY(QStringList models READ models NOTIFY modelInfoChanged)
    /// Whether the backend's own microphone listens (hands-free), as the backend says; see setListening().
    Q_PROPERTY(bool listening READ isListening NOTIFY listeningChanged)
    /// Whether the backend has a microphone of its own that can be switched; false until it has said so.
    Q_PROPERTY(bool canListen READ canListen NOTIFY listeningChanged)

public:
    enum class BackendState {
        Starting, ///< never seen ready since the GUI started, or it says "loading model"
        Ready,
        Lost, ///< was there, and does not answer any more
        Failed ///< answers, but says that it cannot work (backendMessage says why)
    };
    Q_ENUM(BackendState)

    explicit NetworkManager(QObject *parent = nullptr);
    ~NetworkManager() override;

    QString backendUrl() const { return m_backendUrl; }
    void setBackendUrl(const QString &url);
    QString apiKey() const { return m_apiKey; }
    void setApiKey(const QString &key);
    int eventsPort() const { return m_eventsPort; }
    void setEventsPort(int port);
    bool isActive() const { return m_isActive; }
    void setActive(bool active);

    BackendState backendState() const { return m_state; }
    bool isConnected() const { return m_state == BackendState::Ready; }
    QString backendMessage() const { return m_message; }
    QString backendVersion() const;
    QString modelName() const;
    bool modelIsSmall() const;
    QStringList languages() const;
    QStringList models() const;
    bool isListening() const;
    bool canListen() const;

    /// How long streamEnded may take after endStream().
    void setStreamDeadline(std::chrono::milliseconds deadline);
    /// How long a backend that was never there counts as one that merely starts.
    void setStartPatience(std::chrono::milliseconds patience) { m_startPatience = patience; }

    // ---- REST
    Q_INVOKABLE void transcribeFile(const QString &filePath, const QString &language = {});
    /// The audio is a whole file (WAV, FLAC, OGG or MP3), not yet in Base64.
    Q_INVOKABLE void transcribeBase64(const QByteArray &audioData, const QString &language = {});
    Q_INVOKABLE void checkHealth();
    Q_INVOKABLE void getModelInfo();
    /// PUT /listening {"enabled": ...}: the backend's microphone, for hands-free use.
    Q_INVOKABLE void setListening(bool enabled);
    /// PUT /model {"model_name": ...}: loads another of `models`.
    Q_INVOKABLE void loadModel(const QString &name);

    // ---- /stream, for push-to-talk: connect, send chunks (kept until the connection is ready), endStream,
    // final(s), closed
    Q_INVOKABLE void connectWebSocket(const QString &language = {});
    Q_INVOKABLE void sendAudioChunk(const QByteArray &chunk);
    /// What was said so far becomes text; streamEnded follows the last final, after 10 s at most.
    Q_INVOKABLE void endStream();
    /// At once, without finals and without streamEnded.
    Q_INVOKABLE void disconnectWebSocket();

signals:
    // REST
    void transcriptionReceived(const QString &text, const QString &language, double duration,
                               double inferenceTime, double totalTime);
    void healthCheckResult(bool healthy);
    /// A request failed. Both are sentences for the driver: what happened, and the way out.
    void errorOccurred(const QString &error, const QString &wayOut);
    // /stream
    void webSocketConnected();
    void webSocketDisconnected();
    void speechStarted();
    void partialTranscription(const QString &text);
    void finalTranscription(const QString &text, const QString &language, double latency);
    /// The stream failed; errorOccurred follows with the same sentences.
    void streamFailed(const QString &error, const QString &wayOut);
    /// The stream is over: after endStream's last final, or because it broke (then errorOccurred came
    /// before).
    void streamEnded();
    // events on 5802: only those of the backend's own microphone (session ids of /stream clients are not
    // followed)
    void wakeWordDetected(const QString &name);
    void pipelineStateChanged(const QString &state); ///< IDLE LISTENING PROCESSING EMIT ERROR SHUTDOWN
    void handsFreePartial(const QString &text);
    void handsFreeTranscript(const QString &text, const QString &language, double latency,
                             const QDateTime &time);
    void handsFreeError(const QString &message);

    void backendUrlChanged();
    void apiKeyChanged();
    void eventsPortChanged();
    void activeChanged();
    void backendStateChanged();
    void modelInfoChanged();
    void listeningChanged();

private:
    void connectParts();
    void restart();
    void stop();
    void onHealth(HealthMonitor::Health health, const QString &reason);
    void readInfo();
    void onInfo(const Fault &fault);
    void onStreamFailed(const Fault &fault);
    void onEventsLost();
    void onBackendError(const QString &stage, const QString &message);
    void updateState();
    void setState(BackendState state, const QString &message);
    void useBackend();
    void forgetBackend();
    QString startingMessage() const;
    void onTranscription(const RestClient::Reply &reply);
    void report(const Fault &fault);

    QString m_backendUrl = QStringLiteral("http://localhost:8000");
    QString m_apiKey;
    int m_eventsPort = 5802;
    bool m_isActive = false;

    BackendState m_state = BackendState::Starting;
    QString m_message;
    HealthMonitor::Health m_health = HealthMonitor::Health::Unknown;
    QString m_reason; ///< that belongs to m_health
    bool m_isReadingInfo = false;
    bool m_isInfoRead = false; ///< since the backend came
    bool m_isUnauthorized = false;
    bool m_wasReady = false;
    QString m_awaitedModel; ///< asked for with loadModel(), and not there yet
    QDeadlineTimer m_awaitedUntil;
    bool m_hasLoaded = false; ///< since then, and its name was not read yet
    QElapsedTimer m_sinceStart;
    std::chrono::milliseconds m_startPatience;

    // Two clients, so that a large upload never stands in the way of a question for health.
    RestClient *m_requests; ///< what the driver asks for
    RestClient *m_questions; ///< what this asks by itself
    HealthMonitor *m_monitor;
    BackendInfo *m_info;
    EventsClient *m_events;
    StreamClient *m_stream;
};
