#include "backend/fault.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>

namespace {

constexpr int LongestSentence = 200;

Fault make(const QString &error, const QString &wayOut)
{
    Fault fault;
    fault.error = error;
    fault.wayOut = wayOut;
    return fault;
}

Fault ofBusy(const QByteArray &retryAfter)
{
    bool isNumber = false;
    const int seconds = retryAfter.toInt(&isNumber);
    return make(Fault::tr("The assistant is busy."), isNumber && seconds > 0
                                                         ? Fault::tr("Try again in %1 s.").arg(seconds)
                                                         : Fault::tr("Try again in a moment."));
}

/// Of codes for which there is a translated sentence; none for all others, whose own message is shown.
Fault ofCode(const QString &code, const QByteArray &retryAfter = {})
{
    if (code == QLatin1String("unauthorized"))
        return make(Fault::tr("The assistant wants an API key."),
                    Fault::tr("Enter the API key in the settings."));
    if (code == QLatin1String("queue_full") || code == QLatin1String("rate_limited")
        || code == QLatin1String("too_many_streams") || code == QLatin1String("overloaded")
        || code == QLatin1String("too_many_connections"))
        return ofBusy(retryAfter);
    if (code == QLatin1String("internal_error"))
        return make(Fault::tr("The assistant failed."), Fault::tr("Try again."));
    return {};
}

Fault ofStatus(int status, const QByteArray &retryAfter)
{
    switch (status) {
    case 401:
    case 403:
        return ofCode(QStringLiteral("unauthorized"));
    case 404:
    case 405:
        return make(Fault::tr("The assistant does not know how to do this."),
                    Fault::tr("Update its backend, or check the backend's address in the settings."));
    case 429:
        return ofBusy(retryAfter);
    case 503:
        return make(Fault::tr("The assistant is not ready yet."), Fault::tr("Try again in a moment."));
    default:
        return make(status >= 500 ? Fault::tr("The assistant failed.")
                                  : Fault::tr("The assistant refused this."),
                    Fault::tr("Try again."));
    }
}

} // namespace

bool Fault::isUnknownPath() const
{
    return status == 405 || (status == 404 && code != QLatin1String("no_such_model"));
}

Fault Fault::ofReply(int status, const QByteArray &body, const QByteArray &retryAfter)
{
    const QJsonObject detail =
        QJsonDocument::fromJson(body).object().value(QLatin1String("error")).toObject();
    const QString code = detail.value(QLatin1String("code")).toString();
    const QString message = detail.value(QLatin1String("message")).toString();

    Fault fault = ofStatus(status, retryAfter);
    fault.status = status;
    fault.code = code;
    Fault told = ofCode(code, retryAfter);
    // The status says it better where the particulars are for developers, or a little patience is all it
    // takes.
    const bool isForDriver = !fault.isUnauthorized() && !fault.isUnknownPath() && status != 429
                             && (status != 503 || retryAfter.isEmpty());
    if (told.isNone() && isForDriver)
        told = ofMessage(message);
    if (!told.isNone())
        fault.error = told.error;
    if (!told.wayOut.isEmpty())
        fault.wayOut = told.wayOut;
    return fault;
}

Fault Fault::ofNetwork(QNetworkReply::NetworkError error)
{
    switch (error) {
    case QNetworkReply::TimeoutError:
    case QNetworkReply::OperationCanceledError:
        return tooSlow();
    case QNetworkReply::RemoteHostClosedError:
        return connectionLost();
    case QNetworkReply::HostNotFoundError:
    case QNetworkReply::ProtocolUnknownError:
    case QNetworkReply::ProtocolInvalidOperationError:
        return make(tr("The assistant is not at this address."),
                    tr("Check the backend's address in the settings."));
    default:
        return unreachable();
    }
}

Fault Fault::ofStream(const QString &code, const QString &message)
{
    Fault fault = ofCode(code);
    if (fault.isNone() && code == QLatin1String("not_ready")
        && message.contains(QLatin1String("being loaded")))
        fault = ofStatus(503, {});
    if (fault.isNone())
        fault = ofMessage(message);
    if (fault.isNone())
        fault = make(tr("The assistant failed."), QString());
    if (fault.wayOut.isEmpty())
        fault.wayOut = tr("Try again.");
    fault.code = code;
    return fault;
}

Fault Fault::ofMessage(const QString &message)
{
    // "16 s: what" is a remedy, "audio_file: what" names a field and is no sentence without its end.
    static const QRegularExpression remedy(QStringLiteral("^([^:]*\\s[^:]*): (.+)$"),
                                           QRegularExpression::DotMatchesEverythingOption);
    const auto match = remedy.match(message);
    if (!match.hasMatch())
        return make(asSentence(message), QString());
    return make(asSentence(match.captured(1)), asSentence(match.captured(2)));
}

Fault Fault::unreachable()
{
    return make(tr("The assistant cannot be reached."),
                tr("Wait a moment, or check the backend's address in the settings."));
}

Fault Fault::tooSlow()
{
    Fault fault = make(tr("The assistant did not answer in time."), tr("Try again."));
    fault.isTimeOut = true;
    return fault;
}

Fault Fault::connectionLost()
{
    return make(tr("The connection to the assistant was lost."), tr("Try again in a moment."));
}

Fault Fault::speechLost()
{
    return make(tr("The assistant was too slow: the beginning of what you said is lost."),
                tr("Say it again."));
}

Fault Fault::notTheBackend()
{
    return make(tr("Something else answers in the assistant's place."),
                tr("Check the backend's address in the settings."));
}

QString asSentence(const QString &text)
{
    QString sentence = text.section(QLatin1Char('\n'), 0, 0).simplified();
    if (sentence.isEmpty())
        return sentence;
    sentence[0] = sentence.at(0).toUpper();
    if (sentence.size() > LongestSentence)
        return sentence.left(LongestSentence - 1).trimmed() + QChar(0x2026);
    if (!QStringLiteral(".!?").contains(sentence.back()))
        sentence += QLatin1Char('.');
    return sentence;
}
