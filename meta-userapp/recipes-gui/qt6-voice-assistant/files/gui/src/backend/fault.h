#pragma once

#include <QByteArray>
#include <QCoreApplication>
#include <QNetworkReply>
#include <QString>

/// What went wrong between the GUI and the backend, in two sentences for the driver.
class Fault
{
    Q_DECLARE_TR_FUNCTIONS(Fault)

public:
    int status = 0; ///< of HTTP; 0: there was no reply
    QString code; ///< the backend's, for programs
    bool isTimeOut = false; ///< there was no reply within the deadline
    QString error; ///< what happened; empty: nothing
    QString wayOut; ///< what the driver can do

    bool isNone() const { return error.isEmpty(); }
    /// Whether the API key is missing or wrong.
    bool isUnauthorized() const { return status == 401 || status == 403; }
    /// Whether the backend does not know the path at all, as one older than this GUI.
    bool isUnknownPath() const;

    /// Of a reply with a status of 400 or more.
    static Fault ofReply(int status, const QByteArray &body, const QByteArray &retryAfter);
    /// Where there was no reply.
    static Fault ofNetwork(QNetworkReply::NetworkError error);
    /// Of a message with the type "error" on /stream.
    static Fault ofStream(const QString &code, const QString &message);
    /// Of the backend's messages for people, which read "what is wrong: what to do about it".
    static Fault ofMessage(const QString &message);

    static Fault unreachable();
    static Fault tooSlow();
    static Fault connectionLost();
    static Fault speechLost();
    static Fault notTheBackend();
};

/// Begins with a capital and ends with a full stop; at most one line, and no longer than a screen bears.
QString asSentence(const QString &text);
