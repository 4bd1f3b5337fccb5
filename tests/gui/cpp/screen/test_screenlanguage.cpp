#include "screen/screenlanguage.h"

#include <QGuiApplication>
#include <QLocale>
#include <QQmlEngine>
#include <QTest>
#include <QTime>

class TestScreenLanguage : public QObject
{
    Q_OBJECT

private slots:
    void init() { qputenv("LC_ALL", "C"); }

    void german()
    {
        QQmlEngine engine;
        const ScreenLanguage language(&engine);
        engine.setUiLanguage(QStringLiteral("de"));
        QCOMPARE(ready(), QStringLiteral("Bereit"));
        QCOMPARE(QLocale().toString(0.5), QStringLiteral("0,5"));
        QCOMPARE(time(), QStringLiteral("14:05"));
    }

    void backToEnglish()
    {
        QQmlEngine engine;
        const ScreenLanguage language(&engine);
        engine.setUiLanguage(QStringLiteral("de"));
        engine.setUiLanguage(QStringLiteral("en"));
        QCOMPARE(ready(), QStringLiteral("Ready"));
        QCOMPARE(QLocale().toString(0.5), QStringLiteral("0.5"));
        QCOMPARE(time(), QStringLiteral("14:05"));
    }

    void withoutChoiceAndWithoutLocaleItIsEnglish()
    {
        QQmlEngine engine;
        const ScreenLanguage language(&engine);
        QCOMPARE(ready(), QStringLiteral("Ready"));
        QCOMPARE(time(), QStringLiteral("14:05"));
    }

    void directionOfReading()
    {
        QQmlEngine engine;
        const ScreenLanguage language(&engine);
        engine.setUiLanguage(QStringLiteral("ar"));
        QCOMPARE(QGuiApplication::layoutDirection(), Qt::RightToLeft);
        QCOMPARE(ready(), QStringLiteral("Ready"));
        engine.setUiLanguage(QStringLiteral("de"));
        QCOMPARE(QGuiApplication::layoutDirection(), Qt::LeftToRight);
    }

private:
    static QString ready() { return QCoreApplication::translate("StatusBar", "Ready"); }
    static QString time() { return QLocale().toString(QTime(14, 5), QLocale::ShortFormat); }
};

QTEST_MAIN(TestScreenLanguage)
#include "test_screenlanguage.moc"
