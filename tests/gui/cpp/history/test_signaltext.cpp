#include "history/signaltext.h"

#include <QLocale>
#include <QTest>

class TestSignalText : public QObject
{
    Q_OBJECT

private slots:
    void init() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedKingdom)); }
    void values_data();
    void values();
    void numbersAreOfTheScreensLanguage();
    void theSameSignalElsewhereCounts();
    void whatDiffersIsARange();
    void beforeIsSaidWhereItDiffers();
    void nothingIsNothing();
};

void TestSignalText::values_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QVariant>("value");
    QTest::addColumn<QString>("unit");
    QTest::addColumn<QString>("text");
    const auto row = [](const char *path, const QVariant &value, const char *unit, const char *text) {
        QTest::addRow("%s %s", path, qPrintable(value.toString()))
            << QString::fromLatin1(path) << value << QString::fromLatin1(unit) << QString::fromUtf8(text);
    };
    row("A.Temperature", 21, "celsius", "21 °C");
    row("A.Temperature", 21.5, "celsius", "21.5 °C");
    row("A.Volume", 40.4, "percent", "40 %");
    row("A.Range", 212'000, "m", "212 km");
    row("A.Tire.Pressure", 240, "kPa", "2.4 bar");
    row("A.Speed", 10, "m/s", "36 km/h");
    row("A.Count", 3, "", "3");
    row("A.Rate", 3.25, "furlong", "3.25 furlong");
    row("A.Window.Position", 0, "percent", "Closed");
    row("A.Window.Position", 30, "percent", "30 %");
    row("A.Sunroof.Position", 100, "percent", "Open");
    row("A.Shade.Position", 0, "percent", "0 %");
    row("A.HeatingCooling", 0, "percent", "Off");
    row("A.IsLocked", true, "", "Locked");
    row("A.IsOpen", false, "", "Closed");
    row("A.IsOn", true, "", "On");
    row("A.IsOn", false, "", "Off");
    row("A.Mode", "RAIN_SENSOR", "", "Automatic");
    row("A.Source", "DAB", "", "DAB");
    row("A.Color", "#FF0000", "", "");
    row("A.Action", "SKIP_FORWARD", "", "");
}

void TestSignalText::values()
{
    QFETCH(QString, path);
    QFETCH(QVariant, value);
    QFETCH(QString, unit);
    QFETCH(QString, text);
    QCOMPARE(SignalText::now({{path, value, {}, unit}}), text);
}

void TestSignalText::numbersAreOfTheScreensLanguage()
{
    QLocale::setDefault(QLocale(QLocale::German));
    QCOMPARE(SignalText::now({{"A.Temperature", 21.5, {}, "celsius"}}), "21,5 °C");
}

void TestSignalText::theSameSignalElsewhereCounts()
{
    QCOMPARE(SignalText::now({{"A.Left.Temperature", 21, {}, "celsius"},
                              {"A.Right.Temperature", 21.0, {}, "celsius"},
                              {"A.Speed", 50, {}, "km/h"}}),
             "21 °C");
}

void TestSignalText::whatDiffersIsARange()
{
    QCOMPARE(SignalText::now({{"L.Temperature", 23, {}, "celsius"}, {"R.Temperature", 19.5, {}, "celsius"}}),
             "19.5 – 23 °C");
    QCOMPARE(
        SignalText::now({{"L.Window.Position", 0, {}, "percent"}, {"R.Window.Position", 30, {}, "percent"}}),
        "Closed – 30 %");
    QCOMPARE(SignalText::now({{"L.IsLocked", true, {}, {}}, {"R.IsLocked", false, {}, {}}}), "");
}

void TestSignalText::beforeIsSaidWhereItDiffers()
{
    const auto before = [](const QVariant &value, const QVariant &previous) {
        return SignalText::before({{"A.Temperature", value, previous, "celsius"}});
    };
    QCOMPARE(before(21, 19), "19 °C");
    QCOMPARE(before(21, 21.0), "");
    QCOMPARE(before(21, {}), "");
    QCOMPARE(SignalText::before({{"L.IsLocked", true, false, {}}, {"R.IsLocked", true, true, {}}}), "");
}

void TestSignalText::nothingIsNothing()
{
    QCOMPARE(SignalText::now({}), "");
    QCOMPARE(SignalText::before({}), "");
    QCOMPARE(SignalText::now({{"A.Temperature", {}, {}, "celsius"}}), "");
}

QTEST_GUILESS_MAIN(TestSignalText)

#include "test_signaltext.moc"
