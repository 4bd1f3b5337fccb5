#include "screen/peakscroller.h"

#include <QTest>

#include <cmath>

constexpr double Frame = 1.0 / 60;

static QList<float> burst(float peak = 0.5F)
{
    return QList<float>(10, peak);
}

class TestPeakScroller : public QObject
{
    Q_OBJECT

private slots:
    void begins();
    void glidesEvenly();
    void glidesEvenlyThroughLateBursts();
    void comesToRest();
    void catchesUpSlowly();
    void leapsAfterAStandstill();
    void knowsItsPeaks();
    void forgetsOldPeaks();
    void clears();
};

void TestPeakScroller::begins()
{
    PeakScroller scroller(100, 1000);
    QVERIFY(scroller.isAtRest());
    scroller.advance(5);
    QCOMPARE(scroller.position(), 0.0);
    scroller.add(burst());
    QVERIFY(!scroller.isAtRest());
}

void TestPeakScroller::glidesEvenly()
{
    PeakScroller scroller(100, 1000);
    double slowest = 100;
    double fastest = 0;
    for (int frame = 0; frame < 600; ++frame) {
        if (frame % 6 == 0)
            scroller.add(burst());
        const double before = scroller.position();
        scroller.advance(Frame);
        if (frame < 3) // waits a little, so that a burst may be late
            continue;
        slowest = std::min(slowest, scroller.position() - before);
        fastest = std::max(fastest, scroller.position() - before);
    }
    QVERIFY2(std::abs(slowest - 100 * Frame) < 0.01, qPrintable(QString::number(slowest)));
    QVERIFY2(std::abs(fastest - 100 * Frame) < 0.01, qPrintable(QString::number(fastest)));
}

void TestPeakScroller::glidesEvenlyThroughLateBursts()
{
    PeakScroller scroller(100, 1000);
    double slowest = 100;
    for (int frame = 0; frame < 600; ++frame) {
        if (frame % 12 == 0 || frame % 12 == 7) // every other one a frame late
            scroller.add(burst());
        const double before = scroller.position();
        scroller.advance(Frame);
        if (frame >= 3)
            slowest = std::min(slowest, scroller.position() - before);
    }
    QVERIFY2(std::abs(slowest - 100 * Frame) < 0.01, qPrintable(QString::number(slowest)));
}

void TestPeakScroller::comesToRest()
{
    PeakScroller scroller(100, 1000);
    scroller.add(burst());
    int frames = 0;
    while (!scroller.isAtRest() && frames < 100) {
        scroller.advance(Frame);
        ++frames;
    }
    QCOMPARE(scroller.position(), 10.0);
    QCOMPARE(frames, 8); // 30 ms of waiting, 100 ms of sound
}

void TestPeakScroller::catchesUpSlowly()
{
    PeakScroller scroller(100, 1000);
    for (int i = 0; i < 4; ++i)
        scroller.add(burst());
    scroller.advance(0.03);
    scroller.advance(Frame);
    QVERIFY2(std::abs(scroller.position() - 110 * Frame) < 1e-6,
             qPrintable(QString::number(scroller.position())));
}

void TestPeakScroller::leapsAfterAStandstill()
{
    PeakScroller scroller(100, 1000);
    for (int i = 0; i < 50; ++i)
        scroller.add(burst());
    scroller.advance(0.03);
    scroller.advance(Frame);
    QVERIFY(scroller.position() > 470);
    QVERIFY(!scroller.isAtRest());
}

void TestPeakScroller::knowsItsPeaks()
{
    PeakScroller scroller(100, 1000);
    scroller.add({0.1F, 0.2F, 0.3F});
    scroller.add({0.4F, 0.3F});
    QCOMPARE(scroller.greatest(0, 2), 0.2F);
    QCOMPARE(scroller.greatest(2, 4), 0.4F);
    QCOMPARE(scroller.greatest(4, 400), 0.3F);
    QCOMPARE(scroller.greatest(-10, 1), 0.1F);
    QCOMPARE(scroller.greatest(-10, 0), 0.0F);
    QCOMPARE(scroller.greatest(5, 10), 0.0F);
}

void TestPeakScroller::forgetsOldPeaks()
{
    PeakScroller scroller(100, 4);
    scroller.add({0.9F, 0.8F, 0.1F});
    scroller.add({0.2F, 0.3F, 0.4F});
    QCOMPARE(scroller.greatest(0, 2), 0.0F);
    QCOMPARE(scroller.greatest(0, 3), 0.1F);
    QCOMPARE(scroller.greatest(5, 6), 0.4F);
}

void TestPeakScroller::clears()
{
    PeakScroller scroller(100, 1000);
    scroller.add(burst());
    scroller.advance(0.1);
    scroller.clear();
    QVERIFY(scroller.isAtRest());
    QCOMPARE(scroller.position(), 0.0);
    QCOMPARE(scroller.greatest(-100, 100), 0.0F);
}

QTEST_APPLESS_MAIN(TestPeakScroller)
#include "test_peakscroller.moc"
