#include "history/commandnames.h"

#include <QFile>
#include <QRegularExpression>
#include <QTest>

class TestCommandNames : public QObject
{
    Q_OBJECT

private slots:
    void everyCommandOfTheBackendHasOne();
    void othersHaveNone();
    void placesAreNamed();
};

void TestCommandNames::everyCommandOfTheBackendHasOne()
{
    QFile file(QFINDTESTDATA("../../../../backend/rtap/intents/grammars/intents.yaml"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QStringList dialogue{"Confirm", "Refuse", "Cancel", "Repeat", "Choose", "Likewise"};
    static const QRegularExpression entry(QStringLiteral("^(\\w+): \\{"),
                                          QRegularExpression::MultilineOption);
    int count = 0;
    auto found = entry.globalMatch(QString::fromUtf8(file.readAll()));
    while (found.hasNext()) {
        const QString command = found.next().captured(1);
        QCOMPARE(!CommandNames::title(command).isEmpty(), !dialogue.contains(command));
        ++count;
    }
    QVERIFY(count > 90);
}

void TestCommandNames::othersHaveNone()
{
    QCOMPARE(CommandNames::title("OpenHatch"), "");
    QCOMPARE(CommandNames::area("OpenHatch"), "sound");
    QCOMPARE(CommandNames::area("OpenWindow"), "window");
}

void TestCommandNames::placesAreNamed()
{
    const auto place = [](const QString &name, const QString &value) {
        return CommandNames::place({"OpenWindow", {{"position", 30}, {name, value}}});
    };
    QCOMPARE(place("zone", "rear_left"), "rear left");
    QCOMPARE(place("window", "rear"), "rear");
    QCOMPARE(place("side", "left"), "left");
    QCOMPARE(place("zone", "all"), "");
    QCOMPARE(place("contact", "left"), "");
}

QTEST_GUILESS_MAIN(TestCommandNames)

#include "test_commandnames.moc"
