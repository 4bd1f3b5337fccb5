#include "audio/systemaudioinputs.h"

#include <QTest>

class TestSystemAudioInputs : public QObject
{
    Q_OBJECT

private slots:
    void namesAreDistinct_data();
    void namesAreDistinct();
    void opensNothingThatIsAbsent();
    void defaultIsOneOfTheNames();
};

void TestSystemAudioInputs::namesAreDistinct_data()
{
    QTest::addColumn<QStringList>("descriptions");
    QTest::addColumn<QStringList>("names");
    const QString a = QStringLiteral("USB");
    const QString b = QStringLiteral("Built-in");
    const QString second = QStringLiteral("USB (2)");
    QTest::newRow("none") << QStringList() << QStringList();
    QTest::newRow("different") << QStringList{a, b} << QStringList{a, b};
    QTest::newRow("same") << QStringList{a, b, a, a} << QStringList{a, b, second, QStringLiteral("USB (3)")};
    QTest::newRow("taken") << QStringList{second, a, a} << QStringList{second, a, QStringLiteral("USB (3)")};
}

void TestSystemAudioInputs::namesAreDistinct()
{
    QFETCH(QStringList, descriptions);
    QFETCH(QStringList, names);
    QCOMPARE(distinctNames(descriptions), names);
}

void TestSystemAudioInputs::opensNothingThatIsAbsent()
{
    QVERIFY(SystemAudioInputs().open(QStringLiteral("a microphone on the moon")) == nullptr);
    QVERIFY(SystemAudioInputs().open({}) == nullptr);
}

void TestSystemAudioInputs::defaultIsOneOfTheNames()
{
    SystemAudioInputs inputs;
    if (inputs.names().isEmpty())
        QCOMPARE(inputs.defaultName(), QString());
    else
        QVERIFY(inputs.names().contains(inputs.defaultName()));
}

QTEST_GUILESS_MAIN(TestSystemAudioInputs)
#include "test_systemaudioinputs.moc"
