#include "screen/waveformitem.h"
#include "soon.h"

#include <QElapsedTimer>
#include <QImage>
#include <QPainter>
#include <QQmlComponent>
#include <QQmlEngine>
#include <QQuickWindow>
#include <QSignalSpy>
#include <QTest>
#include <QTimer>

constexpr int Width = 400;
constexpr int Height = 100;

/// Counts how often it is painted.
class CountingItem : public WaveformItem
{
    Q_OBJECT

public:
    using WaveformItem::WaveformItem;

    void paint(QPainter *painter) override
    {
        ++paints;
        WaveformItem::paint(painter);
    }

    int paints = 0;
};

static QList<float> burst(float peak)
{
    return QList<float>(10, peak);
}

class TestWaveformItem : public QObject
{
    Q_OBJECT

private slots:
    void init();
    void silenceIsADottedLine();
    void loudnessIsHeight_data();
    void loudnessIsHeight();
    void newSoundComesFromTheRight();
    void movesAndComesToRest();
    void takesNothingWhileNotRunning();
    void forgets();
    void properties();
    void takesPeaksFromQml();
    void isCheap();

private:
    QImage picture();
    int heightAt(int x, const QImage &image) const;
    void letItRest();

    std::unique_ptr<QQuickWindow> m_window;
    CountingItem *m_item = nullptr;
};

void TestWaveformItem::init()
{
    m_window = std::make_unique<QQuickWindow>();
    m_window->resize(Width, Height);
    m_item = new CountingItem(m_window->contentItem());
    m_item->setSize(QSizeF(Width, Height));
    m_item->setColor(Qt::red);
    m_item->setRunning(true);
    m_window->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
    QTRY_VERIFY(m_item->paints > 0);
}

/// As it is painted on black, without a display's frames.
QImage TestWaveformItem::picture()
{
    QImage image(Width, Height, QImage::Format_RGB32);
    image.fill(Qt::black);
    QPainter painter(&image);
    m_item->paint(&painter);
    return image;
}

/// The height of the highest bar within some pixels from x on; a bar and its gap fit into them.
int TestWaveformItem::heightAt(int x, const QImage &image) const
{
    int highest = 0;
    for (int column = x; column < x + 8; ++column) {
        int height = 0;
        for (int row = 0; row < Height; ++row)
            height += qRed(image.pixel(column, row)) > 127 ? 1 : 0;
        highest = std::max(highest, height);
    }
    return highest;
}

/// Until it was not painted for a tenth of a second.
void TestWaveformItem::letItRest()
{
    QSignalSpy frames(m_window.get(), &QQuickWindow::afterRendering);
    while (frames.wait(100)) { }
}

void TestWaveformItem::silenceIsADottedLine()
{
    const QImage image = picture();
    for (const int x : {0, 100, 200, 300, 390})
        QCOMPARE(heightAt(x, image), 2);
    int gaps = 0;
    for (int x = 0; x < Width; ++x)
        gaps += qRed(image.pixel(x, Height / 2)) < 64 ? 1 : 0;
    QVERIFY(gaps > Width / 5);
}

void TestWaveformItem::loudnessIsHeight_data()
{
    QTest::addColumn<float>("peak");
    QTest::addColumn<int>("height");
    QTest::newRow("full") << 1.0F << 100;
    QTest::newRow("quarter") << 0.25F << 50;
    QTest::newRow("hundredth") << 0.01F << 10;
}

void TestWaveformItem::loudnessIsHeight()
{
    QFETCH(float, peak);
    QFETCH(int, height);
    for (int i = 0; i < 5; ++i)
        m_item->addPeaks(burst(peak));
    letItRest();
    const int seen = heightAt(Width - 30, picture());
    QVERIFY2(std::abs(seen - height) <= 1, qPrintable(QString::number(seen)));
}

void TestWaveformItem::newSoundComesFromTheRight()
{
    for (int i = 0; i < 10; ++i) // one second: a quarter of the width
        m_item->addPeaks(burst(1));
    letItRest();
    const QImage image = picture();
    QCOMPARE(heightAt(Width / 2, image), 2);
    QCOMPARE(heightAt(Width - 120, image), 2);
    QCOMPARE(heightAt(Width - 90, image), 100);
    QCOMPARE(heightAt(Width - 12, image), 100);
}

void TestWaveformItem::movesAndComesToRest()
{
    letItRest();
    const int before = m_item->paints;
    int bursts = 0;
    QTimer microphone;
    connect(&microphone, &QTimer::timeout, this, [&] {
        m_item->addPeaks(burst(0.5F));
        ++bursts;
    });
    microphone.start(100);
    QElapsedTimer clock;
    clock.start();
    QTRY_COMPARE(bursts, 10);
    microphone.stop();
    const int painted = m_item->paints - before;
    // A busy computer may skip some; none is painted twice in the time of a frame.
    QVERIFY2(painted > 20, qPrintable(QString::number(painted)));
    QVERIFY2(painted < int(clock.elapsed() * 70 / 1000), qPrintable(QString::number(painted)));
    letItRest();
    const int atRest = m_item->paints;
    QSignalSpy frames(m_window.get(), &QQuickWindow::afterRendering);
    QVERIFY(!frames.wait(300)); // no frame at all, of anything
    QCOMPARE(m_item->paints, atRest);
    QCOMPARE(m_item->findChild<FrameClock *>()->state(), QAbstractAnimation::Stopped);
}

void TestWaveformItem::takesNothingWhileNotRunning()
{
    m_item->setRunning(false);
    m_item->addPeaks(burst(1));
    letItRest();
    QCOMPARE(heightAt(Width - 10, picture()), 2);
}

void TestWaveformItem::forgets()
{
    for (int i = 0; i < 5; ++i)
        m_item->addPeaks(burst(1));
    letItRest();
    m_item->clear();
    QCOMPARE(heightAt(Width - 30, picture()), 2);
    m_item->addPeaks(burst(1)); // and goes on
    letItRest();
    QCOMPARE(heightAt(Width - 10, picture()), 100);
}

void TestWaveformItem::properties()
{
    QSignalSpy colors(m_item, &WaveformItem::colorChanged);
    QSignalSpy seconds(m_item, &WaveformItem::secondsChanged);
    QSignalSpy running(m_item, &WaveformItem::runningChanged);
    m_item->setColor(Qt::red);
    m_item->setColor(Qt::green);
    QCOMPARE(colors.size(), 1);
    m_item->setSeconds(8);
    m_item->setSeconds(8);
    QCOMPARE(seconds.size(), 1);
    m_item->setSeconds(-1);
    QVERIFY(m_item->seconds() > 0);
    m_item->setSeconds(1e9);
    QCOMPARE(m_item->seconds(), 60.0);
    m_item->setRunning(true);
    m_item->setRunning(false);
    QCOMPARE(running.size(), 1);
}

void TestWaveformItem::takesPeaksFromQml()
{
    qmlRegisterType<WaveformItem>("Picture", 1, 0, "WaveformItem");
    QQmlEngine qml;
    QQmlComponent component(&qml);
    component.setData("import QtQml; import Picture\n"
                      "QtObject { required property WaveformItem wave\n"
                      "signal peaksReady(var peaks)\n"
                      "onPeaksReady: peaks => wave.addPeaks(peaks) }",
                      {});
    const std::unique_ptr<QObject> object(component.createWithInitialProperties(
        {{QStringLiteral("wave"), QVariant::fromValue(static_cast<WaveformItem *>(m_item))}}));
    QVERIFY2(object, qPrintable(component.errorString()));
    for (int i = 0; i < 5; ++i)
        QMetaObject::invokeMethod(object.get(), "peaksReady", Q_ARG(QVariant, QVariant::fromValue(burst(1))));
    letItRest();
    QCOMPARE(heightAt(Width - 30, picture()), 100);
}

void TestWaveformItem::isCheap()
{
    m_item->setSize(QSizeF(800, 160));
    for (int i = 0; i < 40; ++i)
        m_item->addPeaks(burst(0.5F));
    QImage image(800, 160, QImage::Format_ARGB32_Premultiplied);
    QPainter painter(&image);
    QBENCHMARK
    {
        m_item->paint(&painter);
    }
}

QTEST_MAIN(TestWaveformItem)
#include "test_waveformitem.moc"
