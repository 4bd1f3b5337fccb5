#pragma once

#include "backend/commandevents.h"

#include <QCoreApplication>
#include <QString>

/// Values of the car's signals as the screen writes them, in its language.
class SignalText
{
    Q_DECLARE_TR_FUNCTIONS(SignalText)

public:
    /// Of the first signal, and of the same signal elsewhere in the car: "21 °C", "19 – 21 °C" where they
    /// differ, or "Closed". Empty where there are no words for it.
    static QString now(const QList<HeldSignal> &held);
    /// The same of what held before; empty where that is not known, or is what holds now.
    static QString before(const QList<HeldSignal> &held);

private:
    static QString of(const HeldSignal &held, const QVariant &value);
    static QString ofBoolean(const QString &signal, bool value);
    static QString ofName(const QString &name);
    static QString ofNumber(const HeldSignal &held, double value);
    static QString all(const QList<HeldSignal> &held, QVariant HeldSignal::*value);
};
