#include "audio/levelmeter.h"
#include "audio/tone.h"

#include <QTest>

#include <cmath>

class TestLevelMeter : public QObject
{
    Q_OBJECT

private slots:
    void measuresLevel_data();
    void measuresLevel();
    void findsPeaks();
};

void TestLevelMeter::measuresLevel_data()
{
    QTest::addColumn<QList<float>>("samples");
    QTest::addColumn<double>("level");
    QTest::newRow("nothing") << QList<float>() << 0.0;
    QTest::newRow("silence") << QList<float>(1600, 0) << 0.0;
    QTest::newRow("0 dBFS") << QList<float>(1600, -1) << 1.0;
    QTest::newRow("full sine, -3 dBFS") << tone(1000, 16000, 0.1, 1) << 1 - 3.01 / 60;
    QTest::newRow("-30 dBFS") << QList<float>(1600, float(std::pow(10, -1.5))) << 0.5;
    QTest::newRow("-60 dBFS") << QList<float>(1600, 0.001F) << 0.0;
    QTest::newRow("-90 dBFS") << QList<float>(1600, 3e-5F) << 0.0;
    QTest::newRow("too loud") << QList<float>(1600, 2) << 1.0;
}

void TestLevelMeter::measuresLevel()
{
    QFETCH(QList<float>, samples);
    QFETCH(double, level);
    const double measured = levelOf(samples);
    QVERIFY2(std::abs(measured - level) < 1e-4, qPrintable(QString::number(measured)));
}

void TestLevelMeter::findsPeaks()
{
    const QList<float> samples{0.1F, -0.5F, 0, 0.25F, 0.125F, -3, 0.75F};
    QCOMPARE(peaksOf(samples, 2), QList<float>({0.5F, 0.25F, 1, 0.75F}));
    QVERIFY(peaksOf({}, 160).isEmpty());
}

QTEST_APPLESS_MAIN(TestLevelMeter)
#include "test_levelmeter.moc"
