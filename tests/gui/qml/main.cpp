#include "history/commandcard.h"
#include "screen/screenlanguage.h"

#include <QCoreApplication>
#include <QFont>
#include <QGuiApplication>
#include <QJsonObject>
#include <QQmlContext>
#include <QQmlEngine>
#include <QSettings>
#include <QTemporaryDir>
#include <QtQuickTest>

/// Tells a card what a backend would.
class Teller : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;
    Q_INVOKABLE void tell(CommandCard *card, const QJsonObject &message) const
    {
        const QString type = message.value(QLatin1String("type")).toString();
        if (type == QLatin1String("intent"))
            card->understand(Understood::of(message));
        else if (type == QLatin1String("action"))
            card->act(Acted::of(message));
        else if (type == QLatin1String("answer"))
            card->answer(message.value(QLatin1String("text")).toString(),
                         message.value(QLatin1String("utterance_id")).toString());
        else
            card->clear();
    }
};

/// What main.cpp of the application does before it loads the window; what is stored goes elsewhere.
class Setup : public QObject
{
    Q_OBJECT

public slots:
    void applicationAvailable()
    {
        QCoreApplication::setOrganizationName(QStringLiteral("voice-assistant"));
        QCoreApplication::setApplicationName(QStringLiteral("test-qml"));
        QCoreApplication::setApplicationVersion(QStringLiteral("1.2.3"));
        QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, m_place.path());
        QFont font;
        font.setFamilies(
            {QStringLiteral("Roboto"), QStringLiteral("Noto Sans"), QStringLiteral("DejaVu Sans")});
        QGuiApplication::setFont(font);
    }

    void qmlEngineAvailable(QQmlEngine *engine)
    {
        engine->addImportPath(QStringLiteral("qrc:/qt/qml"));
        auto *language = new ScreenLanguage(engine);
        language->setParent(engine);
        engine->rootContext()->setContextProperty(QStringLiteral("backend"), new Teller(engine));
    }

private:
    QTemporaryDir m_place;
};

QUICK_TEST_MAIN_WITH_SETUP(qml, Setup)

#include "main.moc"
