#pragma once

#include <QByteArray>
#include <QHash>
#include <QJsonObject>
#include <QList>
#include <QObject>
#include <QPointer>
#include <QString>
#include <QTcpServer>
#include <QTcpSocket>
#include <QUrl>
#include <QWebSocket>
#include <QWebSocketServer>

/// Stands in for the backend: answers as it is told to, and keeps what it was sent.
///
/// REST and /stream share a port, as the backend's do; events have another.
class FakeBackend : public QObject
{
    Q_OBJECT

public:
    struct Request
    {
        QByteArray method;
        QUrl target; ///< path and query
        QHash<QByteArray, QByteArray> headers; ///< names in lower case
        QByteArray body;
    };
    struct Answer
    {
        int status = 200;
        QByteArray body = "{}";
        QByteArray headers; ///< lines that end with CR LF
        bool isHeld = false; ///< No answer at all.
    };

    explicit FakeBackend(QObject *parent = nullptr);
    ~FakeBackend() override;

    /// Listen, on the same ports again after stop().
    void start();
    /// As a process that dies: every connection is cut.
    void stop();
    /// As a process that was stopped with SIGSTOP: connections stand, and nothing is read or answered.
    void setHanging(bool isHanging);

    QString url() const;
    quint16 eventsPort() const { return m_eventsPort; }

    void answer(const QByteArray &methodAndPath, const Answer &answer);
    /// /health says why not, or that all is well again.
    void setHealth(int status, const QByteArray &reason = {});
    QList<Request> requests(const QByteArray &methodAndPath) const;
    /// All that was asked and not for /health or /.
    int count(const QByteArray &methodAndPath) const { return int(requests(methodAndPath).size()); }

    // ---- /stream: the newest connection
    QWebSocket *stream() const { return m_stream; }
    Request streamRequest() const { return m_streamRequest; }
    int streamCount() const { return m_streamCount; }
    QByteArray audio() const { return m_audio; }
    /// Messages that the client sent as text, in order.
    QStringList streamMessages() const { return m_streamMessages; }
    void setStreamRefused(bool isRefused) { m_isStreamRefused = isRefused; }
    void sendToStream(const QJsonObject &message);
    void sendFinal(const QString &text, double latency = 0.25, const QString &utterance = {});
    void sendAnswer(const QString &text, const QString &earcon, const QString &utterance);
    /// As a network that breaks: no close frame.
    void cutStream();

    // ---- events: the newest connection
    QWebSocket *events() const { return m_events; }
    Request eventsRequest() const { return m_eventsRequest; }
    int eventsCount() const { return m_eventsCount; }
    void setSnapshot(const QJsonObject &snapshot) { m_snapshot = snapshot; }
    void sendEvent(const QJsonObject &event);
    void sendEventText(const QString &text);
    void sendState(const QString &state);

signals:
    void audioReceived();
    void streamMessageReceived(const QString &message);

private:
    void onConnection(QTcpServer *server, QWebSocketServer *upgrader);
    void onData(QTcpSocket *socket, QWebSocketServer *upgrader);
    void reply(QTcpSocket *socket, const Request &request);
    void onStream();
    void onEvents();

    QTcpServer m_server;
    QTcpServer m_eventsServer;
    QWebSocketServer m_streamUpgrader;
    QWebSocketServer m_eventsUpgrader;
    quint16 m_port = 0;
    quint16 m_eventsPort = 0;
    bool m_isHanging = false;
    QHash<QByteArray, Answer> m_answers;
    QList<Request> m_requests;
    QList<QPointer<QTcpSocket>> m_sockets;

    QPointer<QWebSocket> m_stream;
    Request m_streamRequest;
    int m_streamCount = 0;
    QByteArray m_audio;
    QStringList m_streamMessages;
    bool m_isStreamRefused = false;

    QPointer<QWebSocket> m_events;
    Request m_eventsRequest;
    int m_eventsCount = 0;
    QJsonObject m_snapshot;
};
