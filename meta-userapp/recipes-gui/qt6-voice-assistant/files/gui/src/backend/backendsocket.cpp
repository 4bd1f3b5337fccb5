#include "backend/backendsocket.h"

#include "backend/networklog.h"

#include <QJsonDocument>
#include <QNetworkProxy>
#include <QNetworkRequest>
#include <QtGlobal>
#include <QTimer>
#include <QWebSocket>

#include <chrono>

using namespace std::chrono_literals;

namespace {

constexpr auto ConnectDeadline = 5s;

#if QT_VERSION >= QT_VERSION_CHECK(6, 5, 0)
constexpr auto SocketError = &QWebSocket::errorOccurred;
#else
constexpr auto SocketError = QOverload<QAbstractSocket::SocketError>::of(&QWebSocket::error);
#endif

} // namespace

BackendSocket::BackendSocket(QObject *parent)
    : QObject(parent)
{
}

void BackendSocket::open(const QUrl &url, const QString &apiKey)
{
    close();
    m_socket = new QWebSocket(QString(), QWebSocketProtocol::VersionLatest, this);
    m_socket->setProxy(QNetworkProxy::NoProxy);
    connect(m_socket, &QWebSocket::connected, this, &BackendSocket::opened);
    connect(m_socket, &QWebSocket::textMessageReceived, this, &BackendSocket::onText);
    connect(m_socket, &QWebSocket::disconnected, this, &BackendSocket::lose);
    // Where the handshake is refused there is an error only.
    connect(m_socket, SocketError, this, [this] {
        qCDebug(networkLog) << m_socket->requestUrl().path() << m_socket->errorString();
        lose();
    });
    auto *patience = new QTimer(m_socket);
    patience->setSingleShot(true);
    connect(patience, &QTimer::timeout, this, &BackendSocket::lose);
    connect(m_socket, &QWebSocket::connected, patience, &QTimer::stop);
    patience->start(ConnectDeadline);

    QNetworkRequest request(url);
    if (!apiKey.isEmpty())
        request.setRawHeader("Authorization", "Bearer " + apiKey.toUtf8());
    m_socket->open(request);
}

void BackendSocket::close()
{
    if (isOpen()) { // otherwise there is nobody to say goodbye to
        m_socket->disconnect(this);
        m_socket->close();
    }
    forget();
}

bool BackendSocket::isOpen() const
{
    return m_socket != nullptr && m_socket->isValid();
}

void BackendSocket::send(const QJsonObject &message)
{
    if (isOpen())
        m_socket->sendTextMessage(QString::fromUtf8(QJsonDocument(message).toJson(QJsonDocument::Compact)));
}

void BackendSocket::send(const QByteArray &data)
{
    if (isOpen())
        m_socket->sendBinaryMessage(data);
}

void BackendSocket::onText(const QString &text)
{
    const QJsonDocument document = QJsonDocument::fromJson(text.toUtf8());
    if (document.isObject())
        emit messageReceived(document.object());
    else
        qCWarning(networkLog, "a message is no JSON object and is left out");
}

void BackendSocket::forget()
{
    if (m_socket == nullptr)
        return;
    m_socket->disconnect(this);
    m_socket->abort();
    m_socket->deleteLater();
    m_socket = nullptr;
}

void BackendSocket::lose()
{
    forget();
    emit lost();
}
