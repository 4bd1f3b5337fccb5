#include "history/signaltext.h"

#include <QLocale>

#include <algorithm>

namespace {

struct Unit
{
    const char *name; ///< COVESA VSS's
    const char *shown; ///< with what stands between the number and it
    double factor; ///< from that of VSS to what is shown
    int digits;
};

constexpr Unit Units[] = {
    {"celsius", " °C", 1, 1},
    {"fahrenheit", " °F", 1, 0},
    {"percent", " %", 1, 0},
    {"degrees", "°", 1, 0},
    {"km/h", " km/h", 1, 0},
    {"m/s", " km/h", 3.6, 0},
    {"km", " km", 1, 0},
    {"m", " km", 0.001, 0},
    {"mm", " mm", 1, 0},
    {"kPa", " bar", 0.01, 1},
    {"Pa", " bar", 0.00001, 1},
    {"bar", " bar", 1, 1},
    {"l", " l", 1, 1},
    {"l/100km", " l/100 km", 1, 1},
    {"kWh", " kWh", 1, 1},
    {"h", " h", 1, 1},
    {"kWh/100km", " kWh/100 km", 1, 1},
    {"min", " min", 1, 0},
    {"s", " s", 1, 0},
};

struct Words
{
    const char *signal;
    const char *yes;
    const char *no;
};

constexpr Words Booleans[] = {
    {"IsLocked", QT_TRANSLATE_NOOP("SignalText", "Locked"), QT_TRANSLATE_NOOP("SignalText", "Unlocked")},
    {"IsOpen", QT_TRANSLATE_NOOP("SignalText", "Open"), QT_TRANSLATE_NOOP("SignalText", "Closed")},
    {"IsFolded", QT_TRANSLATE_NOOP("SignalText", "Folded in"), QT_TRANSLATE_NOOP("SignalText", "Folded out")},
    {"IsMuted", QT_TRANSLATE_NOOP("SignalText", "Muted"), QT_TRANSLATE_NOOP("SignalText", "On")},
};

struct Name
{
    const char *name;
    const char *shown;
};

constexpr Name Names[] = {
    {"OFF", QT_TRANSLATE_NOOP("SignalText", "Off")},
    {"SLOW", QT_TRANSLATE_NOOP("SignalText", "Slow")},
    {"MEDIUM", QT_TRANSLATE_NOOP("SignalText", "Medium")},
    {"FAST", QT_TRANSLATE_NOOP("SignalText", "Fast")},
    {"INTERVAL", QT_TRANSLATE_NOOP("SignalText", "Interval")},
    {"RAIN_SENSOR", QT_TRANSLATE_NOOP("SignalText", "Automatic")},
    {"AUTO", QT_TRANSLATE_NOOP("SignalText", "Automatic")},
    {"BEAM", QT_TRANSLATE_NOOP("SignalText", "On")},
    {"POSITION", QT_TRANSLATE_NOOP("SignalText", "Side lights")},
    {"DAYTIME_RUNNING_LIGHTS", QT_TRANSLATE_NOOP("SignalText", "Daytime lights")},
    {"UP", QT_TRANSLATE_NOOP("SignalText", "Windscreen")},
    {"MIDDLE", QT_TRANSLATE_NOOP("SignalText", "Face")},
    {"DOWN", QT_TRANSLATE_NOOP("SignalText", "Feet")},
    {"PLAY", QT_TRANSLATE_NOOP("SignalText", "Plays")},
    {"STOP", QT_TRANSLATE_NOOP("SignalText", "Stopped")},
    {"MUTED", QT_TRANSLATE_NOOP("SignalText", "Muted")},
    {"UNMUTED", QT_TRANSLATE_NOOP("SignalText", "On")},
    {"FM", "FM"},
    {"AM", "AM"},
    {"DAB", "DAB"},
    {"CD", "CD"},
    {"USB", "USB"},
    {"AUX", "AUX"},
    {"BLUETOOTH", "Bluetooth"},
    {"INTERNET", QT_TRANSLATE_NOOP("SignalText", "Internet")},
};

QString lastPart(const QString &path)
{
    return path.section(QLatin1Char('.'), -1);
}

bool isNumber(const QVariant &value)
{
    return value.isValid() && value.userType() != QMetaType::QString && value.userType() != QMetaType::Bool;
}

const Unit *find(const QString &unit)
{
    for (const Unit &one : Units) {
        if (unit == QLatin1String(one.name))
            return &one;
    }
    return nullptr;
}

QString shownUnit(const QString &unit)
{
    const Unit *known = find(unit);
    if (known != nullptr)
        return QString::fromUtf8(known->shown);
    return unit.isEmpty() ? QString() : QLatin1Char(' ') + unit;
}

/// Whether it is how far a window or the sunroof is open; of shades and seats 0 means something else.
bool isOpening(const QString &path)
{
    return path.endsWith(QLatin1String("Window.Position")) || path.endsWith(QLatin1String("Sunroof.Position"))
           || path.endsWith(QLatin1String("Sunroof.TargetPosition"));
}

/// The first signal, and the same signal elsewhere in the car.
QList<HeldSignal> sameSignals(const QList<HeldSignal> &held)
{
    QList<HeldSignal> same;
    for (const HeldSignal &one : held) {
        if (lastPart(one.path) == lastPart(held.first().path))
            same.append(one);
    }
    return same;
}

} // namespace

QString SignalText::now(const QList<HeldSignal> &held)
{
    return all(sameSignals(held), &HeldSignal::value);
}

QString SignalText::before(const QList<HeldSignal> &held)
{
    const QString text = all(sameSignals(held), &HeldSignal::previous);
    return text == now(held) ? QString() : text;
}

QString SignalText::all(const QList<HeldSignal> &held, QVariant HeldSignal::*value)
{
    if (held.isEmpty())
        return {};
    const auto isLess = [value](const HeldSignal &a, const HeldSignal &b) {
        return (a.*value).toDouble() < (b.*value).toDouble();
    };
    const auto isOfNumber = [value](const HeldSignal &one) { return isNumber(one.*value); };
    const auto isSame = [value, &held](const HeldSignal &one) { return one.*value == held.first().*value; };
    if (std::all_of(held.begin(), held.end(), isSame))
        return of(held.first(), held.first().*value);
    if (!std::all_of(held.begin(), held.end(), isOfNumber))
        return {};
    const auto [lowest, highest] = std::minmax_element(held.begin(), held.end(), isLess);
    QString from = of(*lowest, (*lowest).*value);
    const QString to = of(*highest, (*highest).*value);
    const QString unit = shownUnit(lowest->unit);
    if (from.endsWith(unit) && to.endsWith(unit))
        from.chop(unit.size()); // said once
    //: The lowest and the highest of several values
    return tr("%1 – %2").arg(from, to);
}

QString SignalText::of(const HeldSignal &held, const QVariant &value)
{
    if (!value.isValid())
        return {};
    if (value.userType() == QMetaType::Bool)
        return ofBoolean(lastPart(held.path), value.toBool());
    if (value.userType() == QMetaType::QString)
        return ofName(value.toString());
    return ofNumber(held, value.toDouble());
}

QString SignalText::ofBoolean(const QString &signal, bool value)
{
    for (const Words &words : Booleans) {
        if (signal == QLatin1String(words.signal))
            return tr(value ? words.yes : words.no);
    }
    return value ? tr("On") : tr("Off");
}

QString SignalText::ofName(const QString &name)
{
    for (const Name &one : Names) {
        if (name == QLatin1String(one.name))
            return tr(one.shown);
    }
    return {};
}

QString SignalText::ofNumber(const HeldSignal &held, double value)
{
    if (isOpening(held.path) && (value == 0 || value == 100))
        return value == 0 ? tr("Closed") : tr("Open");
    const QString signal = lastPart(held.path);
    if (value == 0 && (signal == QLatin1String("HeatingCooling") || signal == QLatin1String("Massage")))
        return tr("Off");
    const Unit *unit = find(held.unit);
    if (unit == nullptr)
        return QLocale().toString(value, 'g', 6) + shownUnit(held.unit);
    const double shown = value * unit->factor;
    const bool isWhole = qRound64(shown * 10) % 10 == 0;
    return QLocale().toString(shown, 'f', isWhole ? 0 : unit->digits) + shownUnit(held.unit);
}
