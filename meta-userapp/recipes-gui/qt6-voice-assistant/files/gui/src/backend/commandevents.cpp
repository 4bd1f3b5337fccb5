#include "backend/commandevents.h"

#include <QJsonArray>

static QString textOf(const QJsonObject &object, const char *name)
{
    return object.value(QLatin1String(name)).toString();
}

/// Invalid where there is no value.
static QVariant valueOf(const QJsonObject &object, const char *name)
{
    const QJsonValue value = object.value(QLatin1String(name));
    return value.isString() || value.isDouble() || value.isBool() ? value.toVariant() : QVariant();
}

Command Command::of(const QJsonObject &object)
{
    Command command;
    command.name = textOf(object, "name");
    const QJsonArray particulars = object.value(QLatin1String("slots")).toArray();
    for (const QJsonValue &particular : particulars)
        command.particulars.append(
            {textOf(particular.toObject(), "name"), valueOf(particular.toObject(), "value")});
    return command;
}

QString Command::text(const QString &particular) const
{
    for (const Particular &one : particulars) {
        if (one.name == particular)
            return one.value.toString();
    }
    return {};
}

Understood Understood::of(const QJsonObject &message)
{
    Understood understood;
    understood.utterance = textOf(message, "utterance_id");
    understood.language = textOf(message, "language");
    understood.command = Command::of(message.value(QLatin1String("intent")).toObject());
    understood.question = textOf(message, "question");
    const QJsonArray readings = message.value(QLatin1String("alternatives")).toArray();
    for (const QJsonValue &reading : readings)
        understood.readings.append(Command::of(reading.toObject()));
    return understood;
}

Acted Acted::of(const QJsonObject &message)
{
    Acted acted;
    acted.utterance = textOf(message, "utterance_id");
    acted.command = textOf(message, "intent");
    acted.outcome = textOf(message, "outcome");
    acted.cause = textOf(message.value(QLatin1String("reason")).toObject(), "cause");
    const QJsonArray all = message.value(QLatin1String("held")).toArray();
    for (const QJsonValue &one : all) {
        const QJsonObject held = one.toObject();
        acted.held.append(
            {textOf(held, "path"), valueOf(held, "value"), valueOf(held, "previous"), textOf(held, "unit")});
    }
    return acted;
}
