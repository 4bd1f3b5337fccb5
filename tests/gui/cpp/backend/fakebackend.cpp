#include "backend/fakebackend.h"

#include <QJsonDocument>

#include <optional>

namespace {

QByteArray asJson(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

/// Of what has come so far; none while the head is not complete.
std::optional<FakeBackend::Request> parseHead(const QByteArray &data)
{
    const qsizetype end = data.indexOf("\r\n\r\n");
    if (end < 0)
        return std::nullopt;
    const QList<QByteArray> lines = data.left(end).split('\n');
    const QList<QByteArray> first = lines.first().trimmed().split(' ');
    FakeBackend::Request request;
    request.method = first.value(0);
    request.target = QUrl(QString::fromLatin1(first.value(1)));
    for (const QByteArray &line : lines.mid(1)) {
        const qsizetype colon = line.indexOf(':');
        request.headers.insert(line.left(colon).toLower(), line.mid(colon + 1).trimmed());
    }
    return request;
}

} // namespace

FakeBackend::FakeBackend(QObject *parent)
    : QObject(parent)
    , m_streamUpgrader(QString(), QWebSocketServer::NonSecureMode)
    , m_eventsUpgrader(QString(), QWebSocketServer::NonSecureMode)
    , m_snapshot{{"type", "snapshot"},
                 {"timestamp", 1.0},
                 {"state", "IDLE"},
                 {"model", "cabin-en"},
                 {"version", "9.9"},
                 {"listening", true},
                 {"last_transcript", QJsonValue::Null}}
{
    connect(&m_server, &QTcpServer::newConnection, this,
            [this] { onConnection(&m_server, &m_streamUpgrader); });
    connect(&m_eventsServer, &QTcpServer::newConnection, this,
            [this] { onConnection(&m_eventsServer, &m_eventsUpgrader); });
    connect(&m_streamUpgrader, &QWebSocketServer::newConnection, this, &FakeBackend::onStream);
    connect(&m_eventsUpgrader, &QWebSocketServer::newConnection, this, &FakeBackend::onEvents);
    setHealth(200);
    answer("GET /", {});
    answer("GET /model/info",
           {200, R"({"model_name":"cabin-en","version":"9.9","languages":["de","en"]})", {}, false});
    answer("GET /v1/models",
           {200, R"({"object":"list","data":[{"id":"cabin-en"},{"id":"tiny"}]})", {}, false});
    answer("GET /listening", {200, R"({"available":true,"enabled":true})", {}, false});
    // The ports are known before anything listens, for tests in which the GUI is first.
    start();
    stop();
}

FakeBackend::~FakeBackend()
{
    stop();
}

void FakeBackend::start()
{
    if (!m_server.listen(QHostAddress::LocalHost, m_port)
        || !m_eventsServer.listen(QHostAddress::LocalHost, m_eventsPort))
        qFatal("no free port for the fake backend");
    m_port = m_server.serverPort();
    m_eventsPort = m_eventsServer.serverPort();
}

void FakeBackend::stop()
{
    m_server.close();
    m_eventsServer.close();
    for (const QPointer<QTcpSocket> &socket : std::as_const(m_sockets)) {
        if (socket != nullptr)
            socket->abort();
    }
    m_sockets.clear();
}

void FakeBackend::setHanging(bool isHanging)
{
    m_isHanging = isHanging;
    if (isHanging)
        return;
    // What came meanwhile is read now.
    for (const QPointer<QTcpSocket> &socket : std::as_const(m_sockets)) {
        if (socket != nullptr)
            QMetaObject::invokeMethod(socket, "readyRead");
    }
}

QString FakeBackend::url() const
{
    return QStringLiteral("http://127.0.0.1:%1").arg(m_port);
}

void FakeBackend::answer(const QByteArray &methodAndPath, const Answer &answer)
{
    m_answers.insert(methodAndPath, answer);
}

void FakeBackend::setHealth(int status, const QByteArray &reason)
{
    const QByteArray body = status == 200 ? QByteArray(R"({"status":"healthy","model_loaded":true})")
                                          : R"({"status":"unhealthy","reason":")" + reason + "\"}";
    answer("GET /health", {status, body, {}, false});
}

QList<FakeBackend::Request> FakeBackend::requests(const QByteArray &methodAndPath) const
{
    QList<Request> found;
    for (const Request &request : m_requests) {
        if (request.method + ' ' + request.target.path().toUtf8() == methodAndPath)
            found.append(request);
    }
    return found;
}

void FakeBackend::sendToStream(const QJsonObject &message)
{
    m_stream->sendTextMessage(QString::fromUtf8(asJson(message)));
}

void FakeBackend::sendFinal(const QString &text, double latency, const QString &utterance)
{
    sendToStream({{"type", "final"},
                  {"text", text},
                  {"language", "en"},
                  {"latency", latency},
                  {"utterance_id", utterance}});
}

void FakeBackend::sendAnswer(const QString &text, const QString &earcon, const QString &utterance)
{
    sendToStream({{"type", "answer"}, {"text", text}, {"earcon", earcon}, {"utterance_id", utterance}});
}

void FakeBackend::cutStream()
{
    m_stream->abort();
}

void FakeBackend::sendEvent(const QJsonObject &event)
{
    sendEventText(QString::fromUtf8(asJson(event)));
}

void FakeBackend::sendEventText(const QString &text)
{
    m_events->sendTextMessage(text);
}

void FakeBackend::sendState(const QString &state)
{
    const QString type = state == "PROCESSING" ? "processing_started" : "state_changed";
    sendEvent({{"type", type}, {"timestamp", 1.0}, {"state", state}, {"reason", "a test"}});
}

void FakeBackend::onConnection(QTcpServer *server, QWebSocketServer *upgrader)
{
    while (QTcpSocket *socket = server->nextPendingConnection()) {
        m_sockets.append(socket);
        connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
        connect(socket, &QTcpSocket::readyRead, this, [this, socket, upgrader] { onData(socket, upgrader); });
    }
}

void FakeBackend::onData(QTcpSocket *socket, QWebSocketServer *upgrader)
{
    if (m_isHanging)
        return;
    const QByteArray data = socket->peek(socket->bytesAvailable());
    std::optional<Request> request = parseHead(data);
    if (!request)
        return;
    if (request->headers.contains("upgrade") && !(m_isStreamRefused && upgrader == &m_streamUpgrader)) {
        (upgrader == &m_streamUpgrader ? m_streamRequest : m_eventsRequest) = *request;
        socket->disconnect(this);
        disconnect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
        upgrader->handleConnection(socket);
        QMetaObject::invokeMethod(socket, "readyRead");
        return;
    }
    const qsizetype head = data.indexOf("\r\n\r\n") + 4;
    const qsizetype length = request->headers.value("content-length").toInt();
    if (data.size() < head + length)
        return;
    socket->read(head + length);
    request->body = data.mid(head, length);
    m_requests.append(*request);
    reply(socket, *request);
}

void FakeBackend::reply(QTcpSocket *socket, const Request &request)
{
    const QByteArray key = request.method + ' ' + request.target.path().toUtf8();
    const Answer missing{
        404, R"({"error":{"code":"not_found","message":"there is nothing: see /openapi.json"}})", {}, false};
    const Answer refused{401,
                         R"({"error":{"code":"unauthorized","message":"this service wants an API key"}})",
                         "WWW-Authenticate: Bearer\r\n", false};
    const Answer answer = request.headers.contains("upgrade") ? refused : m_answers.value(key, missing);
    if (answer.isHeld)
        return;
    socket->write("HTTP/1.1 " + QByteArray::number(answer.status)
                  + " Status\r\nContent-Type: application/json\r\n" + answer.headers
                  + "Content-Length: " + QByteArray::number(answer.body.size()) + "\r\n\r\n" + answer.body);
}

void FakeBackend::onStream()
{
    m_stream = m_streamUpgrader.nextPendingConnection();
    m_stream->setParent(this);
    connect(m_stream, &QWebSocket::disconnected, m_stream, &QObject::deleteLater);
    ++m_streamCount;
    m_audio.clear();
    m_streamMessages.clear();
    connect(m_stream, &QWebSocket::binaryMessageReceived, this, [this](const QByteArray &chunk) {
        m_audio += chunk;
        emit audioReceived();
    });
    connect(m_stream, &QWebSocket::textMessageReceived, this, [this](const QString &message) {
        m_streamMessages.append(message);
        emit streamMessageReceived(message);
    });
    sendToStream({{"type", "ready"}, {"session_id", "f3a9"}, {"model", "cabin-en"}});
}

void FakeBackend::onEvents()
{
    m_events = m_eventsUpgrader.nextPendingConnection();
    m_events->setParent(this);
    connect(m_events, &QWebSocket::disconnected, m_events, &QObject::deleteLater);
    ++m_eventsCount;
    sendEvent(m_snapshot);
}
