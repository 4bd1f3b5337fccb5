#include "backend/backoff.h"

#include <QTest>

using namespace std::chrono_literals;

class TestBackoff : public QObject
{
    Q_OBJECT

private slots:
    void growsToFiveSecondsAndStaysThere();
    void beginsAgainAfterSuccess();
};

void TestBackoff::growsToFiveSecondsAndStaysThere()
{
    Backoff backoff;
    for (const auto wait : {500ms, 1000ms, 2000ms, 5000ms, 5000ms, 5000ms})
        QCOMPARE(backoff.next(), wait);
}

void TestBackoff::beginsAgainAfterSuccess()
{
    Backoff backoff;
    backoff.next();
    backoff.next();
    backoff.reset();
    QCOMPARE(backoff.next(), std::chrono::milliseconds(500ms));
}

QTEST_GUILESS_MAIN(TestBackoff)
#include "test_backoff.moc"
