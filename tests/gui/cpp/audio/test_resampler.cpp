#include "audio/resampler.h"
#include "audio/tone.h"

#include <QTest>

#include <cmath>

class TestResampler : public QObject
{
    Q_OBJECT

private slots:
    void keepsLevelAndPitch_data();
    void keepsLevelAndPitch();
    void keepsEverythingElseOut_data();
    void keepsEverythingElseOut();
    void keepsTheTime();
    void keepsAConstant();
    void sameRateChangesNothing();
    void cutsDoNotMatter_data();
    void cutsDoNotMatter();
};

void TestResampler::keepsLevelAndPitch_data()
{
    QTest::addColumn<int>("inputRate");
    QTest::addColumn<double>("frequency");
    for (const int rate : {8000, 11025, 22050, 32000, 44100, 48000, 96000, 192000, 11127}) {
        for (const double frequency : {100.0, 1000.0, 3300.0})
            QTest::addRow("%d Hz at %d Hz", int(frequency), rate) << rate << frequency;
    }
    QTest::newRow("interpolated phases") << 11127 << 4500.0;
    QTest::newRow("highest of speech") << 48000 << 6700.0;
}

void TestResampler::keepsLevelAndPitch()
{
    QFETCH(int, inputRate);
    QFETCH(double, frequency);
    const QList<float> output = Resampler(inputRate, 16000).process(tone(frequency, inputRate, 0.5));
    const Fit fit = fitTone(frequency, 16000, output);
    const double gain = decibels(fit.amplitude / 0.5);
    QVERIFY2(std::abs(gain) < 0.1, qPrintable(QString::number(gain)));
    // Images, steps between phases, rounding.
    const double noise = decibels(fit.rest / 0.5);
    QVERIFY2(noise < -90, qPrintable(QString::number(noise)));
}

void TestResampler::keepsEverythingElseOut_data()
{
    QTest::addColumn<int>("inputRate");
    QTest::addColumn<double>("frequency");
    QTest::newRow("just above") << 48000 << 8100.0;
    QTest::newRow("would be 7 kHz") << 48000 << 9000.0;
    QTest::newRow("would be 1 kHz") << 48000 << 15000.0;
    QTest::newRow("would be constant") << 48000 << 16000.0;
    QTest::newRow("would be 5 kHz") << 44100 << 11000.0;
    QTest::newRow("would be 2 kHz") << 44100 << 18000.0;
    QTest::newRow("far above") << 192000 << 81000.0;
    QTest::newRow("interpolated phases") << 44101 << 12000.0;
}

void TestResampler::keepsEverythingElseOut()
{
    QFETCH(int, inputRate);
    QFETCH(double, frequency);
    const QList<float> output = Resampler(inputRate, 16000).process(tone(frequency, inputRate, 0.5));
    const double damping = decibels(rootMeanSquare(output) * std::sqrt(2.0) / 0.5);
    QVERIFY2(damping < -70, qPrintable(QString::number(damping)));
}

void TestResampler::keepsTheTime()
{
    QList<float> click(48000, 0);
    click[24000] = 1; // at half a second
    const QList<float> output = Resampler(48000, 16000).process(click);
    QCOMPARE(std::distance(output.begin(), std::max_element(output.begin(), output.end())), 8000);
    QVERIFY(output.size() <= 16000);
    QVERIFY(output.size() >= 16000 - 36);
}

void TestResampler::keepsAConstant()
{
    const QList<float> output = Resampler(44100, 16000).process(QList<float>(44100, 0.25F));
    for (const float sample : output.mid(100, output.size() - 200))
        QVERIFY(std::abs(sample - 0.25F) < 1e-5F);
}

void TestResampler::sameRateChangesNothing()
{
    const QList<float> input = tone(7999, 16000, 0.1);
    QCOMPARE(Resampler(16000, 16000).process(input), input);
}

void TestResampler::cutsDoNotMatter_data()
{
    QTest::addColumn<int>("inputRate");
    QTest::addColumn<int>("length");
    QTest::newRow("one by one") << 48000 << 1;
    QTest::newRow("odd") << 44100 << 37;
    QTest::newRow("more samples per step than the filter is long") << 384000 << 5;
    QTest::newRow("upwards") << 8000 << 3;
}

void TestResampler::cutsDoNotMatter()
{
    QFETCH(int, inputRate);
    QFETCH(int, length);
    const QList<float> input = tone(440, inputRate, 0.2);
    Resampler resampler(inputRate, 16000);
    QList<float> pieces = resampler.process({});
    for (qsizetype begin = 0; begin < input.size(); begin += length)
        pieces += resampler.process(input.mid(begin, length));
    QVERIFY(!pieces.isEmpty());
    QCOMPARE(pieces, Resampler(inputRate, 16000).process(input));
}

QTEST_APPLESS_MAIN(TestResampler)
#include "test_resampler.moc"
