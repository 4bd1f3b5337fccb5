#pragma once

#include "backend/fault.h"

#include <QHash>
#include <QJsonObject>
#include <QNetworkAccessManager>
#include <QObject>
#include <QPointer>
#include <QUrl>

#include <chrono>
#include <functional>
#include <memory>

class QHttpMultiPart;
class QNetworkRequest;

/// Asks the backend over HTTP and hands back its JSON, or what went wrong as a Fault.
class RestClient : public QObject
{
    Q_OBJECT

public:
    struct Reply
    {
        int status = 0; ///< 0: there was none
        QJsonObject body; ///< also of a reply that tells of a failure
        Fault fault;
    };
    using Handler = std::function<void(const Reply &)>;
    using Request = QPointer<QNetworkReply>;
    using Deadline = std::chrono::milliseconds;

    explicit RestClient(QObject *parent = nullptr);
    ~RestClient() override;

    void setBaseUrl(const QUrl &url);
    void setApiKey(const QString &key);

    /// A path may end with a question mark and a query.
    /// The handler is called once, later, unless the request is dropped or this is destroyed first.
    Request get(const QString &path, Deadline deadline, const Handler &handler);
    Request put(const QString &path, const QJsonObject &body, Deadline deadline, const Handler &handler);
    Request post(const QString &path, const QJsonObject &body, Deadline deadline, const Handler &handler);
    Request post(const QString &path, std::unique_ptr<QHttpMultiPart> form, Deadline deadline,
                 const Handler &handler);

    /// Forget a request; its handler is not called.
    void drop(const Request &request);
    void dropAll();
    /// End all requests; their handlers get the fault.
    void failAll(const Fault &fault);

private:
    QNetworkRequest requestFor(const QString &path) const;
    Request watch(QNetworkReply *reply, Deadline deadline, const Handler &handler);
    void fail(QNetworkReply *reply, const Fault &fault);
    void finish(QNetworkReply *reply);

    QNetworkAccessManager m_network;
    QUrl m_baseUrl;
    QByteArray m_apiKey;
    QHash<QNetworkReply *, Handler> m_open;
};
