#pragma once

#include "backend/healthmonitor.h"
#include "backend/speechbackend.h"

#include <QByteArray>
#include <QDeadlineTimer>
#include <QElapsedTimer>
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
class NetworkManager : public SpeechBackend
{
    Q_OBJECT
    QML_ELEMENT
    Q_PROPERTY(QString backendUrl READ backendUrl WRITE setBackendUrl NOTIFY backendUrlChanged)
    Q_PROPERTY(QString apiKey READ apiKey WRITE setApiKey NOTIFY apiKeyChanged)
    /// Default: the backend's host, port 5802.
    Q_PROPERTY(int eventsPort READ eventsPort WRITE setEventsPort NOTIFY eventsPortChanged)
    /// Whether to be connected at all; false by default.
    Q_PROPERTY(bool active READ isActive WRITE setActive NOTIFY activeChanged)
    Q_PROPERTY(QString backendVersion READ backendVersion NOTIFY modelInfoChanged)
    Q_PROPERTY(QString modelName READ modelName NOTIFY modelInfoChanged)
    /// Whether the loaded model knows few words, as the backend warns.
    Q_PROPERTY(bool modelIsSmall READ modelIsSmall NOTIFY modelInfoChanged)
    /// Whisper's codes that the loaded model knows.
    Q_PROPERTY(QStringList languages READ languages NOTIFY modelInfoChanged)
    /// Models that the backend has (GET /v1/models; the loaded one alone where it does not know that path).
    Q_PROPERTY(QStringList models READ models NOTIFY modelInfoChanged)
    /// What wakes the backend's own microphone, as people say it: "Hey Mycroft". Empty: it is not known.
    Q_PROPERTY(QString wakeWord READ wakeWord NOTIFY listeningChanged)

public:
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

    BackendState backendState() const override { return m_state; }
    QString backendMessage() const override { return m_message; }
    QString backendVersion() const;
    QString modelName() const;
    bool modelIsSmall() const;
    QStringList languages() const;
    QStringList models() const;
    QString wakeWord() const;
    bool isListening() const override;
    bool canListen() const override;

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
    /// PUT /listening {"enabled": ...}
    Q_INVOKABLE void setListening(bool enabled) override;
    /// POST /listening/cancel; a failure is of no consequence, as listening ends by itself.
    Q_INVOKABLE void cancelListening() override;
    /// POST /answers/stop; a failure is of no consequence, as the answer ends by itself.
    Q_INVOKABLE void stopAnswer() override;
    /// PUT /model {"model_name": ...}: loads another of `models`.
    Q_INVOKABLE void loadModel(const QString &name);

    // ---- /stream, for push-to-talk: connect, send chunks (kept until the connection is ready), endStream,
    // final(s) and their answers, closed
    Q_INVOKABLE void connectWebSocket(const QString &language = {});
    Q_INVOKABLE void sendAudioChunk(const QByteArray &chunk) override;
    Q_INVOKABLE void endStream() override;
    /// At once, without finals and without streamEnded.
    Q_INVOKABLE void disconnectWebSocket();
    void openStream(const QString &language) override { connectWebSocket(language); }
    void dropStream() override { disconnectWebSocket(); }

    /// POST /intent
    void say(const QString &text, const QString &language, const QString &utterance,
             Microphone microphone) override;
    /// GET /intents; in the backend's own language where it has no sentences in this one.
    void readExamples(const QString &language) override;

signals:
    // REST
    void transcriptionReceived(const QString &text, const QString &language, double duration,
                               double inferenceTime, double totalTime);
    void healthCheckResult(bool healthy);
    // /stream
    void webSocketConnected();
    void webSocketDisconnected();

    void backendUrlChanged();
    void apiKeyChanged();
    void eventsPortChanged();
    void activeChanged();
    void modelInfoChanged();

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
    QString conversation() const;
    QString startingMessage() const;
    void onTranscription(const RestClient::Reply &reply);
    void onSaid(const RestClient::Reply &reply, const QString &utterance);
    void report(const Fault &fault);

    QString m_backendUrl = QStringLiteral("http://localhost:8000");
    QString m_apiKey;
    int m_eventsPort = 5802;
    bool m_isActive = false;
    const QString m_conversation; ///< Where the backend's microphone is off; see conversation().

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
