#include "backend/backendinfo.h"

#include <QJsonArray>
#include <QJsonObject>

using namespace std::chrono_literals;

namespace {
constexpr auto Deadline = 5s;
}

BackendInfo::BackendInfo(RestClient *rest, QObject *parent)
    : QObject(parent)
    , m_rest(rest)
{
}

void BackendInfo::read(const Done &done)
{
    m_rest->get(QStringLiteral("/model/info"), Deadline, [this, done](const RestClient::Reply &reply) {
        if (reply.fault.isNone())
            onModelInfo(reply.body);
        done(reply.fault);
    });
}

void BackendInfo::readListening()
{
    m_rest->drop(m_listeningQuestion);
    m_listeningQuestion =
        m_rest->get(QStringLiteral("/listening"), Deadline, [this](const RestClient::Reply &reply) {
            if (!reply.fault.isNone())
                return;
            setWakeWords(reply.body.value(QLatin1String("wake_words")).toVariant().toStringList());
            setListening(reply.body.value(QLatin1String("available")).toBool(),
                         reply.body.value(QLatin1String("enabled")).toBool());
        });
}

void BackendInfo::setWakeWords(const QStringList &wakeWords)
{
    if (wakeWords == m_wakeWords)
        return;
    m_wakeWords = wakeWords;
    emit listeningChanged();
}

void BackendInfo::setListening(bool available, bool enabled)
{
    m_rest->drop(m_listeningQuestion); // its answer may be older than this
    const bool isListening = available && enabled;
    if (available == m_canListen && isListening == m_isListening)
        return;
    m_canListen = available;
    m_isListening = isListening;
    emit listeningChanged();
}

void BackendInfo::onModelInfo(const QJsonObject &body)
{
    m_version = body.value(QLatin1String("version")).toString();
    m_modelName = body.value(QLatin1String("model_name")).toString();
    m_modelIsSmall = !body.value(QLatin1String("warning")).toString().isEmpty();
    m_languages.clear();
    const QJsonArray languages = body.value(QLatin1String("languages")).toArray();
    for (const QJsonValue &language : languages)
        m_languages.append(language.toString());
    if (!m_models.contains(m_modelName))
        m_models = QStringList{m_modelName};
    emit changed();
    readModels();
}

void BackendInfo::readModels()
{
    m_rest->get(QStringLiteral("/v1/models"), Deadline, [this](const RestClient::Reply &reply) {
        QStringList models;
        const QJsonArray data = reply.body.value(QLatin1String("data")).toArray();
        for (const QJsonValue &model : data)
            models.append(model.toObject().value(QLatin1String("id")).toString());
        // A backend that does not know this path, or lists a model under the name of its directory.
        if (!models.contains(m_modelName))
            models.prepend(m_modelName);
        if (models == m_models)
            return;
        m_models = models;
        emit changed();
    });
}
