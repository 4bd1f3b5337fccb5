#include "backend/networkmanager.h"

#include "backend/backendinfo.h"
#include "backend/eventsclient.h"
#include "backend/streamclient.h"

#include <QFile>
#include <QFileInfo>
#include <QHttpMultiPart>
#include <QJsonArray>
#include <QJsonObject>
#include <QUrlQuery>
#include <QUuid>

#include <memory>
#include <utility>

using namespace std::chrono_literals;

namespace {

constexpr auto TranscribeDeadline = 5min;
constexpr auto CommandDeadline = 5s;
/// The backend may have to load a language's grammar first.
constexpr auto ExamplesDeadline = 60s;
constexpr int UnknownLanguage = 422;
/// For a model to be read from a slow card.
constexpr auto ModelDeadline = 60s;
constexpr auto StartPatience = 30s;

QUrl webSocketUrl(const QString &backendUrl)
{
    QUrl url(backendUrl);
    url.setScheme(url.scheme() == QLatin1String("https") ? QStringLiteral("wss") : QStringLiteral("ws"));
    return url;
}

QUrl streamUrl(const QString &backendUrl, const QString &language, const QString &conversation)
{
    QUrl url = webSocketUrl(backendUrl);
    url.setPath(url.path() + QStringLiteral("/stream"));
    QUrlQuery query{{QStringLiteral("intents"), QStringLiteral("execute")},
                    {QStringLiteral("conversation"), conversation},
                    {QStringLiteral("speak"), QStringLiteral("true")}};
    if (!language.isEmpty())
        query.addQueryItem(QStringLiteral("language"), language);
    url.setQuery(query);
    return url;
}

QUrl eventsUrl(const QString &backendUrl, int port)
{
    QUrl url = webSocketUrl(backendUrl);
    url.setPort(port);
    url.setPath(QStringLiteral("/"));
    return url;
}

QHttpPart formField(const QString &name, const QByteArray &value)
{
    QHttpPart part;
    part.setHeader(QNetworkRequest::ContentDispositionHeader,
                   QStringLiteral("form-data; name=\"%1\"").arg(name));
    part.setBody(value);
    return part;
}

QHttpPart formFile(QFile *file)
{
    // The name says nothing to the backend, and quotes in one would break the header.
    QString suffix = QFileInfo(*file).suffix();
    suffix.removeIf([](QChar c) { return !c.isLetterOrNumber(); });
    QHttpPart part;
    part.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/octet-stream"));
    part.setHeader(QNetworkRequest::ContentDispositionHeader,
                   QStringLiteral("form-data; name=\"audio_file\"; filename=\"audio.%1\"").arg(suffix));
    part.setBodyDevice(file);
    return part;
}

} // namespace

NetworkManager::NetworkManager(QObject *parent)
    : SpeechBackend(parent)
    , m_conversation(QUuid::createUuid().toString(QUuid::WithoutBraces))
    , m_startPatience(StartPatience)
    , m_requests(new RestClient(this))
    , m_questions(new RestClient(this))
    , m_monitor(new HealthMonitor(m_questions, this))
    , m_info(new BackendInfo(m_questions, this))
    , m_events(new EventsClient(this))
    , m_stream(new StreamClient(this))
{
    m_requests->setBaseUrl(QUrl(m_backendUrl));
    m_questions->setBaseUrl(QUrl(m_backendUrl));
    connectParts();
}

NetworkManager::~NetworkManager() = default;

void NetworkManager::connectParts()
{
    connect(m_monitor, &HealthMonitor::checked, this, &NetworkManager::onHealth);
    connect(m_info, &BackendInfo::changed, this, &NetworkManager::modelInfoChanged);
    connect(m_info, &BackendInfo::listeningChanged, this, &NetworkManager::listeningChanged);

    connect(m_stream, &StreamClient::opened, this, &NetworkManager::webSocketConnected);
    connect(m_stream, &StreamClient::closed, this, &NetworkManager::webSocketDisconnected);
    connect(m_stream, &StreamClient::speechStarted, this, &NetworkManager::speechStarted);
    connect(m_stream, &StreamClient::partialText, this, &NetworkManager::partialTranscription);
    connect(m_stream, &StreamClient::finalText, this, &NetworkManager::finalTranscription);
    connect(m_stream, &StreamClient::understood, this, &NetworkManager::understood);
    connect(m_stream, &StreamClient::acted, this, &NetworkManager::acted);
    connect(m_stream, &StreamClient::answered, this, &NetworkManager::answered);
    connect(m_stream, &StreamClient::failed, this, &NetworkManager::onStreamFailed);
    connect(m_stream, &StreamClient::ended, this, &NetworkManager::streamEnded);

    connect(m_events, &EventsClient::disconnected, this, &NetworkManager::onEventsLost);
    connect(m_events, &EventsClient::wakeWordDetected, this, &NetworkManager::wakeWordDetected);
    connect(m_events, &EventsClient::stateChanged, this, &NetworkManager::pipelineStateChanged);
    connect(m_events, &EventsClient::partialText, this, &NetworkManager::handsFreePartial);
    connect(m_events, &EventsClient::transcribed, this, &NetworkManager::handsFreeTranscript);
    connect(m_events, &EventsClient::understood, this, &NetworkManager::understood);
    connect(m_events, &EventsClient::acted, this, &NetworkManager::acted);
    connect(m_events, &EventsClient::answered, this, &NetworkManager::handsFreeAnswer);
    connect(m_events, &EventsClient::levelMeasured, this, &NetworkManager::handsFreeLevel);
    connect(m_events, &EventsClient::failed, this, &NetworkManager::onBackendError);
    connect(m_events, &EventsClient::listeningChanged, m_info, &BackendInfo::setListening);
    connect(m_events, &EventsClient::wakeWordsRead, m_info, &BackendInfo::setWakeWords);
}

// ---- properties

void NetworkManager::setBackendUrl(const QString &url)
{
    QString wanted = url.trimmed();
    while (wanted.endsWith(QLatin1Char('/')))
        wanted.chop(1);
    if (wanted == m_backendUrl)
        return;
    m_backendUrl = wanted;
    m_requests->setBaseUrl(QUrl(wanted));
    m_questions->setBaseUrl(QUrl(wanted));
    emit backendUrlChanged();
    if (m_isActive) {
        stop();
        restart();
    }
}

void NetworkManager::setApiKey(const QString &key)
{
    const QString wanted = key.simplified(); // a line break would end the header
    if (wanted == m_apiKey)
        return;
    m_apiKey = wanted;
    m_requests->setApiKey(wanted);
    m_questions->setApiKey(wanted);
    emit apiKeyChanged();
    if (!m_isActive)
        return;
    m_isInfoRead = false;
    if (isConnected())
        useBackend();
    m_monitor->check();
}

void NetworkManager::setEventsPort(int port)
{
    if (port == m_eventsPort)
        return;
    m_eventsPort = port;
    emit eventsPortChanged();
    if (isConnected())
        useBackend();
}

void NetworkManager::setActive(bool active)
{
    if (active == m_isActive)
        return;
    m_isActive = active;
    emit activeChanged();
    stop();
    if (m_isActive)
        restart();
}

QString NetworkManager::backendVersion() const
{
    return m_info->version();
}

QString NetworkManager::wakeWord() const
{
    return m_info->wakeWords().value(0);
}

QString NetworkManager::modelName() const
{
    return m_info->modelName();
}

bool NetworkManager::modelIsSmall() const
{
    return m_info->modelIsSmall();
}

QStringList NetworkManager::languages() const
{
    return m_info->languages();
}

QStringList NetworkManager::models() const
{
    return m_info->models();
}

bool NetworkManager::isListening() const
{
    return m_info->isListening();
}

bool NetworkManager::canListen() const
{
    return m_info->canListen();
}

void NetworkManager::setStreamDeadline(std::chrono::milliseconds deadline)
{
    m_stream->setTextDeadline(deadline);
}

// ---- REST

void NetworkManager::transcribeFile(const QString &filePath, const QString &language)
{
    auto form = std::make_unique<QHttpMultiPart>(QHttpMultiPart::FormDataType);
    auto *file = new QFile(filePath, form.get()); // read while it is sent, so it lives as long as the form
    if (!file->open(QIODevice::ReadOnly)) {
        emit errorOccurred(tr("The file %1 cannot be read.").arg(QFileInfo(filePath).fileName()),
                           tr("Choose another file."));
        return;
    }
    if (!language.isEmpty())
        form->append(formField(QStringLiteral("language"), language.toUtf8()));
    form->append(formFile(file));
    m_requests->post(QStringLiteral("/transcribe"), std::move(form), TranscribeDeadline,
                     [this](const RestClient::Reply &reply) { onTranscription(reply); });
}

void NetworkManager::transcribeBase64(const QByteArray &audioData, const QString &language)
{
    QJsonObject body{{QStringLiteral("audio_base64"), QString::fromLatin1(audioData.toBase64())}};
    if (!language.isEmpty())
        body.insert(QStringLiteral("language"), language);
    m_requests->post(QStringLiteral("/transcribe/base64"), body, TranscribeDeadline,
                     [this](const RestClient::Reply &reply) { onTranscription(reply); });
}

void NetworkManager::checkHealth()
{
    m_monitor->check();
}

void NetworkManager::getModelInfo()
{
    m_info->read([this](const Fault &fault) {
        onInfo(fault);
        if (!fault.isNone())
            report(fault);
    });
}

void NetworkManager::setListening(bool enabled)
{
    const QJsonObject body{{QStringLiteral("enabled"), enabled}};
    m_requests->put(QStringLiteral("/listening"), body, CommandDeadline,
                    [this](const RestClient::Reply &reply) {
                        if (reply.fault.isNone()) {
                            m_info->setListening(reply.body.value(QLatin1String("available")).toBool(),
                                                 reply.body.value(QLatin1String("enabled")).toBool());
                            return;
                        }
                        Fault fault = reply.fault;
                        if (fault.isUnknownPath()) {
                            fault.error = tr("The backend cannot switch its microphone.");
                            fault.wayOut = tr("Update the backend.");
                        }
                        report(fault);
                        emit listeningChanged(); // a switch that ran ahead looks again
                    });
}

void NetworkManager::cancelListening()
{
    m_requests->post(QStringLiteral("/listening/cancel"), QJsonObject(), CommandDeadline,
                     [](const RestClient::Reply &) {});
}

void NetworkManager::stopAnswer()
{
    m_requests->post(QStringLiteral("/answers/stop"), QJsonObject(), CommandDeadline,
                     [](const RestClient::Reply &) {});
}

void NetworkManager::loadModel(const QString &name)
{
    if (name.isEmpty() || name == modelName())
        return;
    const QJsonObject body{{QStringLiteral("model_name"), name}};
    m_requests->put(QStringLiteral("/model"), body, CommandDeadline,
                    [this, name](const RestClient::Reply &reply) {
                        if (reply.fault.isNone()) {
                            m_awaitedModel = name;
                            m_hasLoaded = false;
                            m_awaitedUntil.setRemainingTime(ModelDeadline);
                            m_monitor->check();
                            return;
                        }
                        Fault fault = reply.fault;
                        if (fault.isUnknownPath()) {
                            fault.error = tr("The backend cannot load another model.");
                            fault.wayOut = tr("Update the backend.");
                        }
                        report(fault);
                        emit modelInfoChanged(); // a choice that ran ahead looks again
                    });
}

void NetworkManager::onTranscription(const RestClient::Reply &reply)
{
    if (!reply.fault.isNone()) {
        report(reply.fault);
        return;
    }
    emit transcriptionReceived(reply.body.value(QLatin1String("text")).toString(),
                               reply.body.value(QLatin1String("language")).toString(),
                               reply.body.value(QLatin1String("duration")).toDouble(),
                               reply.body.value(QLatin1String("inference_time")).toDouble(),
                               reply.body.value(QLatin1String("total_time")).toDouble());
}

void NetworkManager::say(const QString &text, const QString &language, const QString &utterance,
                         Microphone microphone)
{
    const bool isBackends = microphone == Microphone::Backend;
    const QJsonObject body{
        {QStringLiteral("text"), text},
        {QStringLiteral("language"), language},
        {QStringLiteral("execute"), true},
        {QStringLiteral("utterance_id"), utterance},
        {QStringLiteral("conversation"), isBackends ? QStringLiteral("microphone") : conversation()},
    };
    m_requests->post(QStringLiteral("/intent"), body, CommandDeadline,
                     [this, utterance](const RestClient::Reply &reply) { onSaid(reply, utterance); });
}

/// Tell it as the events of something that was spoken are told.
void NetworkManager::onSaid(const RestClient::Reply &reply, const QString &utterance)
{
    if (!reply.fault.isNone()) {
        report(reply.fault);
        return;
    }
    QJsonObject message = reply.body;
    message.insert(QStringLiteral("utterance_id"), utterance);
    emit understood(Understood::of(message));
    QJsonObject action = reply.body.value(QLatin1String("action")).toObject();
    if (!action.isEmpty()) {
        action.insert(QStringLiteral("utterance_id"), utterance);
        emit acted(Acted::of(action));
    }
    const QJsonObject answer = reply.body.value(QLatin1String("answer")).toObject();
    if (!answer.isEmpty()) {
        emit answered(answer.value(QLatin1String("text")).toString(),
                      answer.value(QLatin1String("earcon")).toString(), utterance);
    }
}

void NetworkManager::readExamples(const QString &language)
{
    const QString query = language.isEmpty() ? QString() : QStringLiteral("?language=") + language;
    m_questions->get(QStringLiteral("/intents") + query, ExamplesDeadline,
                     [this, language](const RestClient::Reply &reply) {
                         if (reply.status == UnknownLanguage && !language.isEmpty()) {
                             readExamples({});
                             return;
                         }
                         QList<Example> examples;
                         const QJsonArray all = reply.body.value(QLatin1String("examples")).toArray();
                         for (const QJsonValue &one : all)
                             examples.append({one.toObject().value(QLatin1String("intent")).toString(),
                                              one.toObject().value(QLatin1String("text")).toString()});
                         emit examplesRead(examples);
                     });
}

void NetworkManager::report(const Fault &fault)
{
    if (fault.isUnauthorized() && m_isActive)
        readInfo(); // finds out whether that goes for everything
    emit errorOccurred(fault.error, fault.wayOut);
}

// ---- /stream

void NetworkManager::connectWebSocket(const QString &language)
{
    m_stream->open(streamUrl(m_backendUrl, language, conversation()), m_apiKey);
}

/// Each press is a stream, and one may answer the one before; with the backend's microphone, whose name that
/// is, also what was said hands-free.
QString NetworkManager::conversation() const
{
    return isListening() ? QStringLiteral("microphone") : m_conversation;
}

void NetworkManager::sendAudioChunk(const QByteArray &chunk)
{
    m_stream->send(chunk);
}

void NetworkManager::endStream()
{
    m_stream->end();
}

void NetworkManager::disconnectWebSocket()
{
    m_stream->drop();
}

void NetworkManager::onStreamFailed(const Fault &fault)
{
    if (m_isActive) {
        // It may have died, or want another key: an error that stays is a state.
        m_monitor->check();
        if (m_health == HealthMonitor::Health::Healthy)
            readInfo();
    }
    emit streamFailed(fault.error, fault.wayOut);
    emit errorOccurred(fault.error, fault.wayOut);
}

// ---- events

void NetworkManager::onEventsLost()
{
    if (m_isActive)
        m_monitor->check(); // perhaps the backend has died
}

void NetworkManager::onBackendError(const QString &stage, const QString &message)
{
    if (stage == QLatin1String("stt") && !m_awaitedModel.isEmpty()) {
        m_awaitedModel.clear(); // refused; the backend goes on with the one it had
        emit errorOccurred(message, tr("Choose another model in the settings."));
        emit modelInfoChanged();
        return;
    }
    if (stage == QLatin1String("answers"))
        return; // they are shown, whether or not there is a loudspeaker
    const Fault fault = Fault::ofMessage(message);
    emit handsFreeFailed(fault.error, fault.wayOut.isEmpty() ? Fault::tr("Try again.") : fault.wayOut);
}

// ---- the backend's state

void NetworkManager::restart()
{
    m_sinceStart.start();
    m_wasReady = false;
    setState(BackendState::Starting, startingMessage());
    m_monitor->start();
}

void NetworkManager::stop()
{
    m_stream->fail(Fault::connectionLost());
    m_events->stop();
    m_monitor->stop();
    m_questions->dropAll();
    m_info->setListening(false, false);
    m_health = HealthMonitor::Health::Unknown;
    m_isReadingInfo = m_isInfoRead = m_isUnauthorized = false;
    m_awaitedModel.clear();
    if (!m_isActive)
        setState(BackendState::Starting, QString());
}

void NetworkManager::onHealth(HealthMonitor::Health health, const QString &reason)
{
    const bool isHealthy = health == HealthMonitor::Health::Healthy;
    if (m_isActive) {
        m_health = health;
        m_reason = reason;
        if (health == HealthMonitor::Health::Loading)
            m_hasLoaded = true;
        if (health == HealthMonitor::Health::Gone)
            m_questions->failAll(Fault::unreachable());
        if (!isHealthy)
            m_isInfoRead = m_isUnauthorized = false; // whatever comes back may be another
        else if (!m_isInfoRead || !m_awaitedModel.isEmpty())
            readInfo();
        updateState();
    }
    emit healthCheckResult(isHealthy);
}

void NetworkManager::readInfo()
{
    if (!std::exchange(m_isReadingInfo, true))
        m_info->read([this](const Fault &fault) { onInfo(fault); });
}

void NetworkManager::onInfo(const Fault &fault)
{
    m_isReadingInfo = false;
    m_isUnauthorized = fault.isUnauthorized();
    m_isInfoRead = m_health == HealthMonitor::Health::Healthy && (fault.isNone() || fault.isUnknownPath());
    // A model may call itself otherwise than its directory is called.
    const bool isLoaded = m_isInfoRead && std::exchange(m_hasLoaded, false);
    if (isLoaded || modelName() == m_awaitedModel || m_awaitedUntil.hasExpired())
        m_awaitedModel.clear();
    updateState();
}

void NetworkManager::updateState()
{
    switch (m_health) {
    case HealthMonitor::Health::Unknown:
        break;
    case HealthMonitor::Health::Healthy:
        if (m_isUnauthorized)
            setState(BackendState::Failed, tr("The assistant wants an API key. Enter it in the settings."));
        else if (m_isInfoRead)
            setState(BackendState::Ready, QString());
        break; // otherwise as it was, for the moment until it has said what it is
    case HealthMonitor::Health::Loading:
        setState(BackendState::Starting, m_reason);
        break;
    case HealthMonitor::Health::Unhealthy:
        setState(BackendState::Failed, m_reason);
        break;
    case HealthMonitor::Health::Gone:
        if (m_wasReady)
            setState(BackendState::Lost, tr("The assistant does not answer any more."));
        else
            setState(BackendState::Starting, startingMessage());
        break;
    }
}

void NetworkManager::setState(BackendState state, const QString &message)
{
    if (state == m_state && message == m_message)
        return;
    const BackendState previous = std::exchange(m_state, state);
    m_message = message;
    if (state == BackendState::Ready)
        m_wasReady = true;
    emit backendStateChanged();
    if (state == previous || state != m_state)
        return; // the latter: who heard of it changed something
    if (state == BackendState::Ready)
        useBackend();
    else if (state == BackendState::Lost)
        forgetBackend();
}

void NetworkManager::useBackend()
{
    m_events->start(eventsUrl(m_backendUrl, m_eventsPort), m_apiKey);
    m_info->readListening();
}

void NetworkManager::forgetBackend()
{
    m_events->stop();
    m_info->setListening(false, false);
    m_stream->fail(Fault::connectionLost());
    m_requests->failAll(Fault::connectionLost());
}

QString NetworkManager::startingMessage() const
{
    if (!m_sinceStart.isValid() || !m_sinceStart.hasExpired(m_startPatience.count()))
        return tr("The assistant is starting.");
    return tr("There is no answer from %1. Check the backend's address in the settings.").arg(m_backendUrl);
}
