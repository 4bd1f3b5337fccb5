#include "quitsignals.h"

#include <QCoreApplication>
#include <QTest>
#include <QTimer>

#include <chrono>
#include <csignal>

using namespace std::chrono_literals;

class TestQuitSignals : public QObject
{
    Q_OBJECT

private slots:
    void endsTheEventLoop_data()
    {
        QTest::addColumn<int>("number");
        QTest::newRow("SIGTERM") << SIGTERM;
        QTest::newRow("SIGINT") << SIGINT;
    }

    void endsTheEventLoop()
    {
        QFETCH(const int, number);
        const QuitSignals quitSignals;
        QTimer::singleShot(0, this, [number] { std::raise(number); });
        QTimer::singleShot(10s, this, [] { QCoreApplication::exit(1); });
        QCOMPARE(QCoreApplication::exec(), 0);
    }

    void givesTheSignalsBack()
    {
        {
            const QuitSignals quitSignals;
        }
        QVERIFY(std::signal(SIGTERM, SIG_DFL) == SIG_DFL);
        QVERIFY(std::signal(SIGINT, SIG_DFL) == SIG_DFL);
    }
};

QTEST_GUILESS_MAIN(TestQuitSignals)
#include "test_quitsignals.moc"
