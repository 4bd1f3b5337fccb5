#include "backend/eventsclient.h"

#include "backend/fault.h"
#include "backend/networklog.h"

#include <QJsonArray>
#include <QJsonObject>

#include <utility>

namespace {

QString textOf(const QJsonObject &message, const char *name)
{
    return message.value(QLatin1String(name)).toString();
}

bool isOfMicrophone(const QJsonObject &message)
{
    return textOf(message, "source") == QLatin1String("microphone");
}

/// Errors whose messages are written for people; of all others they may be anything.
bool isForPeople(const QString &errorType)
{
    static const QStringList known{
        QStringLiteral("ConfigurationError"), QStringLiteral("AudioError"),
        QStringLiteral("ModelError"),         QStringLiteral("StorageError"),
        QStringLiteral("PipelineError"),      QStringLiteral("QueueFullError"),
        QStringLiteral("TransportError"),     QStringLiteral("BufferOverflowError"),
    };
    return known.contains(errorType);
}

} // namespace

EventsClient::EventsClient(QObject *parent)
    : QObject(parent)
{
    m_retry.setSingleShot(true);
    connect(&m_retry, &QTimer::timeout, this, &EventsClient::connectNow);
    connect(&m_socket, &BackendSocket::messageReceived, this, &EventsClient::onMessage);
    connect(&m_socket, &BackendSocket::lost, this, &EventsClient::onLost);
}

void EventsClient::start(const QUrl &url, const QString &apiKey)
{
    if (m_isConnected && url == m_url && apiKey == m_apiKey)
        return;
    stop();
    m_url = url;
    m_apiKey = apiKey;
    m_backoff.reset();
    connectNow();
}

void EventsClient::stop()
{
    m_retry.stop();
    m_socket.close();
    if (std::exchange(m_isConnected, false))
        emit disconnected();
}

void EventsClient::connectNow()
{
    m_socket.open(m_url, m_apiKey);
}

void EventsClient::onMessage(const QJsonObject &message)
{
    const QString type = textOf(message, "type");
    if (type == QLatin1String("snapshot")) {
        onSnapshot(message);
    } else if (type == QLatin1String("wake_word_detected")) {
        emit wakeWordDetected(textOf(message, "name"));
    } else if (type == QLatin1String("state_changed") || type == QLatin1String("processing_started")) {
        emit stateChanged(textOf(message, "state"));
    } else if (type == QLatin1String("level")) {
        emit levelMeasured(message.value(QLatin1String("dbfs")).toDouble(),
                           message.value(QLatin1String("level")).toDouble());
    } else if (type == QLatin1String("partial")) {
        emit partialText(textOf(message, "text"));
    } else if (type == QLatin1String("transcript")) {
        onTranscript(message);
    } else if (type == QLatin1String("intent")) {
        onIntent(message);
    } else if (type == QLatin1String("action")) {
        if (textOf(message, "utterance_id") == m_understood)
            emit acted(Acted::of(message));
    } else if (type == QLatin1String("answer")) {
        onAnswer(message);
    } else if (type == QLatin1String("listening_changed")) {
        emit listeningChanged(true, message.value(QLatin1String("enabled")).toBool());
    } else if (type == QLatin1String("error")) {
        onError(message);
    } else if (type == QLatin1String("dropped")) {
        qCInfo(networkLog) << "events lost:" << message.value(QLatin1String("count")).toInt();
    }
}

void EventsClient::onSnapshot(const QJsonObject &message)
{
    m_backoff.reset();
    m_isConnected = true;
    emit connected();
    const QJsonValue listening = message.value(QLatin1String("listening"));
    if (!listening.isUndefined())
        emit listeningChanged(listening.isBool(), listening.toBool());
    const QJsonValue wakeWords = message.value(QLatin1String("wake_words"));
    if (wakeWords.isArray())
        emit wakeWordsRead(wakeWords.toVariant().toStringList());
    emit stateChanged(textOf(message, "state"));
}

void EventsClient::onTranscript(const QJsonObject &message)
{
    if (!isOfMicrophone(message))
        return;
    const double seconds = message.value(QLatin1String("timestamp")).toDouble();
    emit transcribed(textOf(message, "text"), textOf(message, "language"),
                     message.value(QLatin1String("latency")).toDouble(),
                     QDateTime::fromMSecsSinceEpoch(qRound64(1000 * seconds)),
                     textOf(message, "utterance_id"));
}

void EventsClient::onIntent(const QJsonObject &message)
{
    if (!isOfMicrophone(message))
        return;
    m_understood = textOf(message, "utterance_id");
    emit understood(Understood::of(message));
}

void EventsClient::onAnswer(const QJsonObject &message)
{
    if (isOfMicrophone(message))
        emit answered(textOf(message, "text"), textOf(message, "earcon"), textOf(message, "utterance_id"));
}

void EventsClient::onError(const QJsonObject &message)
{
    const QString told = textOf(message, "message");
    qCInfo(networkLog) << "the backend failed at" << textOf(message, "stage") << told;
    const bool isSentence = isForPeople(textOf(message, "error_type")) && !told.isEmpty();
    emit failed(textOf(message, "stage"), isSentence ? asSentence(told) : tr("The assistant failed."));
}

void EventsClient::onLost()
{
    m_retry.start(m_backoff.next());
    if (std::exchange(m_isConnected, false))
        emit disconnected();
}
