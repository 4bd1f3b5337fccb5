#include "screen/screenlanguage.h"

#include <QCoreApplication>
#include <QFont>
#include <QGuiApplication>
#include <QQmlEngine>
#include <QSettings>
#include <QTemporaryDir>
#include <QtQuickTest>

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
    }

private:
    QTemporaryDir m_place;
};

QUICK_TEST_MAIN_WITH_SETUP(qml, Setup)

#include "main.moc"
