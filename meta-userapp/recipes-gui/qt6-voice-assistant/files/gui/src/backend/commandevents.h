#pragma once

#include <QJsonObject>
#include <QList>
#include <QMetaType>
#include <QString>
#include <QVariant>

/// One particular of a command, such as the temperature.
struct Particular
{
    QString name;
    QVariant value; ///< text, number or boolean
};

/// A command or question as the backend's grammar knows it.
struct Command
{
    QString name; ///< such as SetTemperature; empty: none
    QList<Particular> particulars;

    static Command of(const QJsonObject &object);
    /// Text of a particular; empty where there is none.
    QString text(const QString &particular) const;
};

/// What can be said for a command.
struct Example
{
    QString command;
    QString text;
};

/// What an utterance means: the event "intent".
struct Understood
{
    QString utterance;
    QString language; ///< code of what was said
    Command command; ///< without a name: nothing is done, or not before the question is answered
    QString question; ///< which, sure or meant; empty: nothing is asked
    QList<Command> readings; ///< what it is asked about

    static Understood of(const QJsonObject &message);
};

/// A signal of the car.
struct HeldSignal
{
    QString path; ///< as COVESA VSS names it
    QVariant value; ///< that holds now: text, number or boolean
    QVariant previous; ///< that held before; invalid: not known, or it cannot be brought back
    QString unit; ///< as COVESA VSS names units; empty: none
};

/// What came of a command: the event "action".
struct Acted
{
    QString utterance;
    QString command;
    QString outcome; ///< done, refused or timed_out
    QString cause; ///< why it was refused
    QList<HeldSignal> held;

    static Acted of(const QJsonObject &message);
};
