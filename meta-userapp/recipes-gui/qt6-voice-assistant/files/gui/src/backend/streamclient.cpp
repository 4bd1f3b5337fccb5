#include "backend/streamclient.h"

#include <QJsonObject>

#include <utility>

using namespace std::chrono_literals;

namespace {
/// From the text to the end of the stream. The service itself waits 30 s for what comes of a command, as
/// after a start it still reads the sentences that it understands.
constexpr auto ActionDeadline = 40s;
} // namespace

StreamClient::StreamClient(QObject *parent)
    : QObject(parent)
{
    m_endDeadline.setSingleShot(true);
    connect(&m_endDeadline, &QTimer::timeout, this, [this] { fail(Fault::tooSlow()); });
    connect(&m_socket, &BackendSocket::opened, this, &StreamClient::onOpened);
    connect(&m_socket, &BackendSocket::messageReceived, this, &StreamClient::onMessage);
    connect(&m_socket, &BackendSocket::lost, this, &StreamClient::onLost);
}

void StreamClient::open(const QUrl &url, const QString &apiKey)
{
    drop();
    m_isActive = true;
    m_isEnding = m_hasOverflown = m_hasComplained = false;
    m_isAwaitingText = true;
    m_socket.open(url, apiKey);
}

void StreamClient::send(const QByteArray &chunk)
{
    if (!m_isActive || m_isEnding)
        return;
    if (m_isOpen)
        m_socket.send(chunk);
    else
        keep(chunk);
}

void StreamClient::end()
{
    if (!m_isActive || m_isEnding)
        return;
    m_isEnding = true;
    startEndDeadline();
    if (m_isOpen)
        sendEnd();
}

void StreamClient::drop()
{
    m_isActive = false;
    m_endDeadline.stop();
    m_queue.clear();
    m_queueSize = 0;
    m_socket.close();
    if (std::exchange(m_isOpen, false))
        emit closed();
}

void StreamClient::fail(const Fault &fault)
{
    if (m_isActive)
        finish(fault);
}

void StreamClient::setTextDeadline(std::chrono::milliseconds deadline)
{
    m_textDeadline = deadline;
}

void StreamClient::onOpened()
{
    m_isOpen = true;
    for (const QByteArray &chunk : std::as_const(m_queue))
        m_socket.send(chunk);
    m_queue.clear();
    m_queueSize = 0;
    if (m_isEnding)
        sendEnd();
    emit opened();
}

void StreamClient::onMessage(const QJsonObject &message)
{
    const QString type = message.value(QLatin1String("type")).toString();
    const QString text = message.value(QLatin1String("text")).toString();
    const QString utterance = message.value(QLatin1String("utterance_id")).toString();
    if (type == QLatin1String("partial")) {
        emit partialText(text);
    } else if (type == QLatin1String("final")) {
        m_isAwaitingText = false;
        if (m_isEnding)
            startEndDeadline();
        emit finalText(text, message.value(QLatin1String("language")).toString(),
                       message.value(QLatin1String("latency")).toDouble(), utterance);
    } else if (type == QLatin1String("intent")) {
        emit understood(Understood::of(message));
    } else if (type == QLatin1String("action")) {
        emit acted(Acted::of(message));
    } else if (type == QLatin1String("answer")) {
        emit answered(text, message.value(QLatin1String("earcon")).toString(), utterance);
    } else if (type == QLatin1String("speech_started")) {
        m_isAwaitingText = true;
        emit speechStarted();
    } else if (type == QLatin1String("error")) {
        m_hasComplained = true;
        emit failed(Fault::ofStream(message.value(QLatin1String("code")).toString(),
                                    message.value(QLatin1String("message")).toString()));
    } else if (type == QLatin1String("end")) {
        finish({});
    }
}

void StreamClient::onLost()
{
    if (m_hasComplained)
        finish({});
    else
        finish(m_isOpen ? Fault::connectionLost() : Fault::unreachable());
}

void StreamClient::keep(const QByteArray &chunk)
{
    m_queue.append(chunk);
    m_queueSize += chunk.size();
    bool overflows = false;
    while (m_queueSize > LongestQueue) {
        m_queueSize -= m_queue.takeFirst().size();
        overflows = true;
    }
    if (overflows && !std::exchange(m_hasOverflown, true))
        emit failed(Fault::speechLost());
}

void StreamClient::startEndDeadline()
{
    m_endDeadline.start(m_isAwaitingText ? m_textDeadline : ActionDeadline);
}

void StreamClient::sendEnd()
{
    m_socket.send(QJsonObject{{QStringLiteral("type"), QStringLiteral("end")}});
}

void StreamClient::finish(const Fault &fault)
{
    // First the state, then the signals: who hears one of them may begin the next stream.
    const bool wasOpen = std::exchange(m_isOpen, false);
    drop();
    if (!fault.isNone())
        emit failed(fault);
    if (wasOpen)
        emit closed();
    emit ended();
}
