#include "audio/tone.h"
#include "audio/wavcapture.h"
#include "soon.h"

#include <QElapsedTimer>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>

class TestWavCapture : public QObject
{
    Q_OBJECT

private slots:
    void playsInRealTime();
    void isSilentAfterTheEnd();
    void beginsAnew();
    void mayBeStoppedByAReceiver();
    void saysWhyNot();

private:
    QString write(double seconds, int rate) const;

    QTemporaryDir m_folder;
};

QString TestWavCapture::write(double seconds, int rate) const
{
    WavLayout layout;
    layout.rate = quint32(rate);
    QFile file(m_folder.filePath(QStringLiteral("tone.wav")));
    if (!file.open(QIODevice::WriteOnly))
        qFatal("no room for a test's file");
    file.write(wav(layout, pcm16(tone(1000, rate, seconds))));
    return file.fileName();
}

void TestWavCapture::playsInRealTime()
{
    WavCapture capture(write(10, 44100));
    QList<float> samples;
    connect(&capture, &AudioCapture::samplesReady, this,
            [&samples](const QList<float> &more) { samples += more; });
    QElapsedTimer clock;
    clock.start();
    QCOMPARE(capture.start(), QString());
    QTRY_VERIFY(samples.size() >= 6400);
    const double heard = double(samples.size()) / 16000;
    const double passed = double(clock.nsecsElapsed()) / 1e9;
    QVERIFY2(heard <= passed, "faster than real time");
    QVERIFY(std::abs(decibels(fitTone(1000, 16000, samples).amplitude / 0.5)) < 0.1);
}

void TestWavCapture::isSilentAfterTheEnd()
{
    WavCapture capture(write(0.15, 8000));
    QSignalSpy finished(&capture, &AudioCapture::finished);
    QList<float> samples;
    connect(&capture, &AudioCapture::samplesReady, this,
            [&samples](const QList<float> &more) { samples += more; });
    QCOMPARE(capture.start(), QString());
    QTRY_VERIFY(samples.size() >= 6400);
    QCOMPARE(finished.size(), 1);
    QVERIFY(std::abs(fitTone(1000, 16000, samples.mid(0, 2300)).amplitude - 0.5) < 0.01);
    for (const float sample : samples.mid(2500))
        QCOMPARE(sample, 0.0F);
}

void TestWavCapture::beginsAnew()
{
    WavCapture capture(write(0.15, 16000));
    QSignalSpy finished(&capture, &AudioCapture::finished);
    QSignalSpy samples(&capture, &AudioCapture::samplesReady);
    QCOMPARE(capture.start(), QString());
    QTRY_COMPARE(finished.size(), 1);
    capture.stop();
    const qsizetype before = samples.size();
    QCOMPARE(capture.start(), QString());
    QTRY_COMPARE(finished.size(), 2);
    const auto first = samples.at(before).first().value<QList<float>>();
    QVERIFY(rootMeanSquare(first) > 0.3);
}

void TestWavCapture::mayBeStoppedByAReceiver()
{
    WavCapture capture(write(0.05, 16000));
    QSignalSpy finished(&capture, &AudioCapture::finished);
    QSignalSpy samples(&capture, &AudioCapture::samplesReady);
    connect(&capture, &AudioCapture::samplesReady, &capture, &AudioCapture::stop);
    QCOMPARE(capture.start(), QString());
    QTRY_COMPARE(samples.size(), 1);
    QVERIFY(!samples.wait(250));
    QCOMPARE(finished.size(), 0);
}

void TestWavCapture::saysWhyNot()
{
    WavCapture capture(QStringLiteral("/nowhere/none.wav"));
    QSignalSpy samples(&capture, &AudioCapture::samplesReady);
    QVERIFY(capture.start().contains(QLatin1String("/nowhere/none.wav")));
    QVERIFY(!samples.wait(250));
}

QTEST_GUILESS_MAIN(TestWavCapture)
#include "test_wavcapture.moc"
