#include "backend/restclient.h"

#include "backend/networklog.h"

#include <QHttpMultiPart>
#include <QJsonDocument>
#include <QNetworkProxy>
#include <QNetworkRequest>
#include <QTimer>

RestClient::RestClient(QObject *parent)
    : QObject(parent)
{
    // The backend is in the same car; a proxy of the desktop knows nothing of it.
    m_network.setProxy(QNetworkProxy::NoProxy);
}

RestClient::~RestClient()
{
    dropAll();
}

void RestClient::setBaseUrl(const QUrl &url)
{
    m_baseUrl = url;
}

void RestClient::setApiKey(const QString &key)
{
    m_apiKey = key.toUtf8();
}

RestClient::Request RestClient::get(const QString &path, Deadline deadline, const Handler &handler)
{
    return watch(m_network.get(requestFor(path)), deadline, handler);
}

RestClient::Request RestClient::put(const QString &path, const QJsonObject &body, Deadline deadline,
                                    const Handler &handler)
{
    QNetworkRequest request = requestFor(path);
    request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    return watch(m_network.put(request, QJsonDocument(body).toJson(QJsonDocument::Compact)), deadline,
                 handler);
}

RestClient::Request RestClient::post(const QString &path, const QJsonObject &body, Deadline deadline,
                                     const Handler &handler)
{
    QNetworkRequest request = requestFor(path);
    request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    return watch(m_network.post(request, QJsonDocument(body).toJson(QJsonDocument::Compact)), deadline,
                 handler);
}

RestClient::Request RestClient::post(const QString &path, std::unique_ptr<QHttpMultiPart> form,
                                     Deadline deadline, const Handler &handler)
{
    QNetworkReply *reply = m_network.post(requestFor(path), form.get());
    form.release()->setParent(reply);
    return watch(reply, deadline, handler);
}

void RestClient::drop(const Request &request)
{
    // Not abort(): Qt warns when a reply that was ended so fails as well. Its end ends the request.
    if (request != nullptr && m_open.remove(request) > 0)
        request->deleteLater();
}

void RestClient::dropAll()
{
    const auto replies = m_open.keys();
    for (QNetworkReply *reply : replies)
        drop(reply);
}

void RestClient::failAll(const Fault &fault)
{
    const auto replies = m_open.keys();
    for (QNetworkReply *reply : replies)
        fail(reply, fault);
}

void RestClient::fail(QNetworkReply *reply, const Fault &fault)
{
    const Handler handler = m_open.value(reply);
    if (!handler)
        return; // dropped
    drop(reply);
    Reply failed;
    failed.fault = fault;
    handler(failed);
}

QNetworkRequest RestClient::requestFor(const QString &path) const
{
    QUrl url = m_baseUrl;
    QString base = url.path();
    while (base.endsWith(QLatin1Char('/')))
        base.chop(1);
    url.setPath(base + path.section(QLatin1Char('?'), 0, 0));
    url.setQuery(path.section(QLatin1Char('?'), 1));
    QNetworkRequest request(url);
    request.setAttribute(QNetworkRequest::CacheLoadControlAttribute, QNetworkRequest::AlwaysNetwork);
    if (!m_apiKey.isEmpty())
        request.setRawHeader("Authorization", "Bearer " + m_apiKey);
    return request;
}

RestClient::Request RestClient::watch(QNetworkReply *reply, Deadline deadline, const Handler &handler)
{
    m_open.insert(reply, handler);
    connect(reply, &QNetworkReply::finished, this, [this, reply] { finish(reply); });
    // Not QNetworkRequest's own time-out: that one begins anew with every byte.
    auto *timer = new QTimer(reply);
    timer->setSingleShot(true);
    connect(timer, &QTimer::timeout, this, [this, reply] { fail(reply, Fault::tooSlow()); });
    timer->start(deadline);
    return reply;
}

void RestClient::finish(QNetworkReply *reply)
{
    const Handler handler = m_open.take(reply);
    if (!handler)
        return; // dropped
    reply->deleteLater();

    Reply result;
    result.status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    const QByteArray body = reply->isOpen() ? reply->readAll() : QByteArray();
    const QJsonDocument document = QJsonDocument::fromJson(body);
    result.body = document.object();
    if (result.status >= 400)
        result.fault = Fault::ofReply(result.status, body, reply->rawHeader("Retry-After"));
    else if (reply->error() != QNetworkReply::NoError)
        result.fault = Fault::ofNetwork(reply->error());
    else if (!document.isObject())
        result.fault = Fault::notTheBackend();
    if (!result.fault.isNone())
        qCDebug(networkLog) << reply->url().path() << result.status << reply->errorString();
    handler(result);
}
