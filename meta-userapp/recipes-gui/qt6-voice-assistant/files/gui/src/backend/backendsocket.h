#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QObject>
#include <QString>
#include <QUrl>

class QWebSocket;

/// One WebSocket connection to the backend, which speaks JSON. When it is over, it can be opened again.
class BackendSocket : public QObject
{
    Q_OBJECT

public:
    explicit BackendSocket(QObject *parent = nullptr);

    /// Connect; a connection that there was is closed first. One that takes more than 5 s is given up.
    void open(const QUrl &url, const QString &apiKey);
    /// Close without a signal.
    void close();
    bool isOpen() const;

    void send(const QJsonObject &message);
    void send(const QByteArray &data);

signals:
    void opened();
    /// A JSON object; what is none is logged and left out.
    void messageReceived(const QJsonObject &message);
    /// Refused, given up or broken; once for each open(), and not after close().
    void lost();

private:
    void onText(const QString &text);
    void forget();
    void lose();

    QWebSocket *m_socket = nullptr;
};
