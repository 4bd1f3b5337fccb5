#include "history/commandnames.h"

namespace {

struct Named
{
    const char *command;
    const char *area;
    const char *title;
};

// Those that only go on with a conversation, such as Confirm, are no commands.
constexpr Named Commands[] = {
    {"SetTemperature", "climate", QT_TRANSLATE_NOOP("CommandNames", "Temperature")},
    {"RaiseTemperature", "climate", QT_TRANSLATE_NOOP("CommandNames", "Temperature")},
    {"LowerTemperature", "climate", QT_TRANSLATE_NOOP("CommandNames", "Temperature")},
    {"SetClimate", "climate", QT_TRANSLATE_NOOP("CommandNames", "Climate control")},
    {"SetFan", "climate", QT_TRANSLATE_NOOP("CommandNames", "Fan")},
    {"RaiseFan", "climate", QT_TRANSLATE_NOOP("CommandNames", "Fan")},
    {"LowerFan", "climate", QT_TRANSLATE_NOOP("CommandNames", "Fan")},
    {"SetAirConditioning", "climate", QT_TRANSLATE_NOOP("CommandNames", "Air conditioning")},
    {"SetAirflow", "climate", QT_TRANSLATE_NOOP("CommandNames", "Airflow")},
    {"SetDefrost", "climate", QT_TRANSLATE_NOOP("CommandNames", "Defrost")},
    {"SetRecirculation", "climate", QT_TRANSLATE_NOOP("CommandNames", "Recirculation")},
    {"SetSeatHeating", "seat", QT_TRANSLATE_NOOP("CommandNames", "Seat heating")},
    {"SetSeatVentilation", "seat", QT_TRANSLATE_NOOP("CommandNames", "Seat ventilation")},
    {"SetSteeringWheelHeating", "drive", QT_TRANSLATE_NOOP("CommandNames", "Wheel heating")},
    {"SyncClimate", "climate", QT_TRANSLATE_NOOP("CommandNames", "Same climate")},
    {"OpenWindow", "window", QT_TRANSLATE_NOOP("CommandNames", "Window")},
    {"CloseWindow", "window", QT_TRANSLATE_NOOP("CommandNames", "Window")},
    {"OpenSunroof", "window", QT_TRANSLATE_NOOP("CommandNames", "Sunroof")},
    {"CloseSunroof", "window", QT_TRANSLATE_NOOP("CommandNames", "Sunroof")},
    {"TiltSunroof", "window", QT_TRANSLATE_NOOP("CommandNames", "Sunroof")},
    {"SetSunshade", "window", QT_TRANSLATE_NOOP("CommandNames", "Blind")},
    {"LockDoors", "lock", QT_TRANSLATE_NOOP("CommandNames", "Doors")},
    {"UnlockDoors", "lock", QT_TRANSLATE_NOOP("CommandNames", "Doors")},
    {"OpenTrunk", "lock", QT_TRANSLATE_NOOP("CommandNames", "Trunk")},
    {"CloseTrunk", "lock", QT_TRANSLATE_NOOP("CommandNames", "Trunk")},
    {"SetChildLock", "lock", QT_TRANSLATE_NOOP("CommandNames", "Child lock")},
    {"SetHeadlights", "light", QT_TRANSLATE_NOOP("CommandNames", "Headlights")},
    {"SetHighBeam", "light", QT_TRANSLATE_NOOP("CommandNames", "High beam")},
    {"SetFogLights", "light", QT_TRANSLATE_NOOP("CommandNames", "Fog lights")},
    {"SetHazardLights", "light", QT_TRANSLATE_NOOP("CommandNames", "Hazard lights")},
    {"SetInteriorLight", "light", QT_TRANSLATE_NOOP("CommandNames", "Interior light")},
    {"SetAmbientLight", "light", QT_TRANSLATE_NOOP("CommandNames", "Ambient light")},
    {"SetDisplayBrightness", "light", QT_TRANSLATE_NOOP("CommandNames", "Brightness")},
    {"RaiseDisplayBrightness", "light", QT_TRANSLATE_NOOP("CommandNames", "Brightness")},
    {"LowerDisplayBrightness", "light", QT_TRANSLATE_NOOP("CommandNames", "Brightness")},
    {"SetWipers", "wiper", QT_TRANSLATE_NOOP("CommandNames", "Wipers")},
    {"WipeOnce", "wiper", QT_TRANSLATE_NOOP("CommandNames", "Wipers")},
    {"WashWindscreen", "wiper", QT_TRANSLATE_NOOP("CommandNames", "Washer")},
    {"FoldMirrors", "mirror", QT_TRANSLATE_NOOP("CommandNames", "Mirrors")},
    {"UnfoldMirrors", "mirror", QT_TRANSLATE_NOOP("CommandNames", "Mirrors")},
    {"MoveMirror", "mirror", QT_TRANSLATE_NOOP("CommandNames", "Mirror")},
    {"SetMirrorHeating", "mirror", QT_TRANSLATE_NOOP("CommandNames", "Mirror heating")},
    {"MoveSeat", "seat", QT_TRANSLATE_NOOP("CommandNames", "Seat")},
    {"MoveBackrest", "seat", QT_TRANSLATE_NOOP("CommandNames", "Backrest")},
    {"SetMassage", "seat", QT_TRANSLATE_NOOP("CommandNames", "Massage")},
    {"RecallSeat", "seat", QT_TRANSLATE_NOOP("CommandNames", "Seat position")},
    {"StoreSeat", "seat", QT_TRANSLATE_NOOP("CommandNames", "Seat position")},
    {"PlayMedia", "media", QT_TRANSLATE_NOOP("CommandNames", "Media")},
    {"PauseMedia", "media", QT_TRANSLATE_NOOP("CommandNames", "Media")},
    {"NextTrack", "media", QT_TRANSLATE_NOOP("CommandNames", "Next track")},
    {"PreviousTrack", "media", QT_TRANSLATE_NOOP("CommandNames", "Previous track")},
    {"SelectSource", "media", QT_TRANSLATE_NOOP("CommandNames", "Source")},
    {"SetShuffle", "media", QT_TRANSLATE_NOOP("CommandNames", "Shuffle")},
    {"SetRepeatTrack", "media", QT_TRANSLATE_NOOP("CommandNames", "Repeat")},
    {"SetVolume", "media", QT_TRANSLATE_NOOP("CommandNames", "Volume")},
    {"RaiseVolume", "media", QT_TRANSLATE_NOOP("CommandNames", "Volume")},
    {"LowerVolume", "media", QT_TRANSLATE_NOOP("CommandNames", "Volume")},
    {"Mute", "media", QT_TRANSLATE_NOOP("CommandNames", "Sound")},
    {"Unmute", "media", QT_TRANSLATE_NOOP("CommandNames", "Sound")},
    {"CallContact", "phone", QT_TRANSLATE_NOOP("CommandNames", "Call")},
    {"AnswerCall", "phone", QT_TRANSLATE_NOOP("CommandNames", "Call")},
    {"RejectCall", "phone", QT_TRANSLATE_NOOP("CommandNames", "Call")},
    {"EndCall", "phone", QT_TRANSLATE_NOOP("CommandNames", "Call")},
    {"Redial", "phone", QT_TRANSLATE_NOOP("CommandNames", "Call")},
    {"ReadMessages", "phone", QT_TRANSLATE_NOOP("CommandNames", "Messages")},
    {"NavigateTo", "navigation", QT_TRANSLATE_NOOP("CommandNames", "Navigation")},
    {"StopNavigation", "navigation", QT_TRANSLATE_NOOP("CommandNames", "Navigation")},
    {"FindNearby", "navigation", QT_TRANSLATE_NOOP("CommandNames", "Nearby")},
    {"AvoidOnRoute", "navigation", QT_TRANSLATE_NOOP("CommandNames", "Route")},
    {"ZoomMap", "navigation", QT_TRANSLATE_NOOP("CommandNames", "Map")},
    {"ShowMap", "navigation", QT_TRANSLATE_NOOP("CommandNames", "Map")},
    {"SetGuidanceVoice", "navigation", QT_TRANSLATE_NOOP("CommandNames", "Guidance voice")},
    {"ShowTraffic", "navigation", QT_TRANSLATE_NOOP("CommandNames", "Traffic")},
    {"SetCruiseControl", "drive", QT_TRANSLATE_NOOP("CommandNames", "Cruise control")},
    {"RaiseCruiseSpeed", "drive", QT_TRANSLATE_NOOP("CommandNames", "Cruise control")},
    {"LowerCruiseSpeed", "drive", QT_TRANSLATE_NOOP("CommandNames", "Cruise control")},
    {"SetDistance", "drive", QT_TRANSLATE_NOOP("CommandNames", "Distance")},
    {"SetLaneAssist", "drive", QT_TRANSLATE_NOOP("CommandNames", "Lane assist")},
    {"SetSpeedLimiter", "drive", QT_TRANSLATE_NOOP("CommandNames", "Speed limiter")},
    {"SetParkAssist", "drive", QT_TRANSLATE_NOOP("CommandNames", "Parking aid")},
    {"SetDriveMode", "drive", QT_TRANSLATE_NOOP("CommandNames", "Drive mode")},
    {"SetStartStop", "drive", QT_TRANSLATE_NOOP("CommandNames", "Start-stop")},
    {"AskRange", "question", QT_TRANSLATE_NOOP("CommandNames", "Range")},
    {"AskTyrePressure", "question", QT_TRANSLATE_NOOP("CommandNames", "Tyre pressure")},
    {"AskFuel", "question", QT_TRANSLATE_NOOP("CommandNames", "Fuel")},
    {"AskBattery", "question", QT_TRANSLATE_NOOP("CommandNames", "Battery")},
    {"AskTime", "question", QT_TRANSLATE_NOOP("CommandNames", "Time")},
    {"AskDate", "question", QT_TRANSLATE_NOOP("CommandNames", "Date")},
    {"AskOutsideTemperature", "question", QT_TRANSLATE_NOOP("CommandNames", "Outside")},
    {"AskInsideTemperature", "question", QT_TRANSLATE_NOOP("CommandNames", "Inside")},
    {"AskSpeed", "question", QT_TRANSLATE_NOOP("CommandNames", "Speed")},
    {"AskArrival", "question", QT_TRANSLATE_NOOP("CommandNames", "Arrival")},
    {"AskOdometer", "question", QT_TRANSLATE_NOOP("CommandNames", "Odometer")},
    {"AskService", "question", QT_TRANSLATE_NOOP("CommandNames", "Service")},
    {"AskConsumption", "question", QT_TRANSLATE_NOOP("CommandNames", "Consumption")},
    {"AskHelp", "question", QT_TRANSLATE_NOOP("CommandNames", "You can say")},
    {"Undo", "undo", QT_TRANSLATE_NOOP("CommandNames", "Undo")},
};

struct Place
{
    const char *name;
    const char *shown;
};

constexpr Place Places[] = {
    {"driver", QT_TRANSLATE_NOOP("CommandNames", "driver")},
    {"passenger", QT_TRANSLATE_NOOP("CommandNames", "passenger")},
    {"rear_driver_side", QT_TRANSLATE_NOOP("CommandNames", "behind the driver")},
    {"rear_passenger_side", QT_TRANSLATE_NOOP("CommandNames", "behind the passenger")},
    {"front_left", QT_TRANSLATE_NOOP("CommandNames", "front left")},
    {"front_right", QT_TRANSLATE_NOOP("CommandNames", "front right")},
    {"rear_left", QT_TRANSLATE_NOOP("CommandNames", "rear left")},
    {"rear_right", QT_TRANSLATE_NOOP("CommandNames", "rear right")},
    {"left", QT_TRANSLATE_NOOP("CommandNames", "left")},
    {"right", QT_TRANSLATE_NOOP("CommandNames", "right")},
    {"front", QT_TRANSLATE_NOOP("CommandNames", "front")},
    {"rear", QT_TRANSLATE_NOOP("CommandNames", "rear")},
};

const Named *find(const QString &command)
{
    for (const Named &named : Commands) {
        if (command == QLatin1String(named.command))
            return &named;
    }
    return nullptr;
}

} // namespace

QString CommandNames::area(const QString &command)
{
    const Named *named = find(command);
    return named == nullptr ? QStringLiteral("sound") : QString::fromLatin1(named->area);
}

QString CommandNames::title(const QString &command)
{
    const Named *named = find(command);
    return named == nullptr ? QString() : tr(named->title);
}

QString CommandNames::place(const Command &command)
{
    for (const char *name : {"zone", "window", "side"}) {
        const QString place = placeName(command.text(QLatin1String(name)));
        if (!place.isEmpty())
            return place;
    }
    return {};
}

QString CommandNames::placeName(const QString &name)
{
    for (const Place &place : Places) {
        if (name == QLatin1String(place.name))
            return tr(place.shown);
    }
    return {};
}
