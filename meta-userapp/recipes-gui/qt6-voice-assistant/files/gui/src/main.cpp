#include "quitsignals.h"
#include "screen/screenlanguage.h"
#include "systemversion.h"

#include <QCommandLineParser>
#include <QFont>
#include <QGuiApplication>
#include <QQmlApplicationEngine>
#include <QStandardPaths>

#include <iterator>

static QCommandLineOption option(const char *name, const char *description, const char *value = "")
{
    return QCommandLineOption(QString::fromLatin1(name), QCoreApplication::translate("main", description),
                              QString::fromLatin1(value));
}

/// The properties of the window.
static QVariantMap readArguments(const QStringList &arguments)
{
    const QCommandLineOption options[] = {
        option("backend", QT_TRANSLATE_NOOP("main", "Address of the backend, in place of the stored one."),
               "URL"),
        option("events-port", QT_TRANSLATE_NOOP("main", "Port of the backend's events (5802)."), "NUMBER"),
        option("source-file", QT_TRANSLATE_NOOP("main", "Plays this file in place of a microphone."), "WAV"),
        option("fullscreen", QT_TRANSLATE_NOOP("main", "Fills the screen.")),
        option("rotation",
               QT_TRANSLATE_NOOP("main", "Turns picture and touch clockwise: 0, 90, 180, 270, or auto."),
               "DEGREES"),
        option("report", QT_TRANSLATE_NOOP("main", "Tells on the log what the screen shows.")),
    };
    const auto &[backend, eventsPort, sourceFile, fullScreen, rotation, report] = options;

    QCommandLineParser parser;
    parser.setApplicationDescription(
        QCoreApplication::translate("main", "The screen of the voice assistant."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addOptions({std::begin(options), std::end(options)});
    parser.process(arguments);

    QVariantMap properties{
        {QStringLiteral("backendUrl"), parser.value(backend)},
        {QStringLiteral("sourceFile"), parser.value(sourceFile)},
        {QStringLiteral("fullScreen"), parser.isSet(fullScreen)},
        {QStringLiteral("turned"), parser.value(rotation)},
        {QStringLiteral("reporting"), parser.isSet(report)},
        {QStringLiteral("historyFile"), QStandardPaths::writableLocation(QStandardPaths::AppDataLocation)
                                            + QStringLiteral("/history.jsonl")},
        {QStringLiteral("systemVersion"), systemVersion()},
    };
    if (parser.isSet(eventsPort))
        properties.insert(QStringLiteral("eventsPort"), parser.value(eventsPort).toInt());
    return properties;
}

int main(int argc, char *argv[])
{
    QGuiApplication application(argc, argv);
    const QuitSignals quitSignals;
    QCoreApplication::setOrganizationName(QStringLiteral("voice-assistant"));
    QCoreApplication::setApplicationName(QStringLiteral("qt6-voice-assistant"));
    QCoreApplication::setApplicationVersion(QStringLiteral(VOICE_ASSISTANT_VERSION));
    QFont font;
    font.setFamilies({QStringLiteral("Roboto"), QStringLiteral("Noto Sans"), QStringLiteral("DejaVu Sans")});
    QGuiApplication::setFont(font);

    QQmlApplicationEngine engine;
    const ScreenLanguage language(&engine);
    const auto exitOnFailure = [](const QObject *window) {
        if (window == nullptr)
            QCoreApplication::exit(EXIT_FAILURE);
    };
    QObject::connect(&engine, &QQmlApplicationEngine::objectCreated, &application, exitOnFailure,
                     Qt::QueuedConnection);
    engine.addImportPath(QStringLiteral("qrc:/qt/qml")); // built in from Qt 6.5 on
    engine.setInitialProperties(readArguments(QCoreApplication::arguments()));
    engine.load(QUrl(QStringLiteral("qrc:/qt/qml/VoiceAssistant/MainWindow.qml")));
    return QCoreApplication::exec();
}
