#include "screen/conversation.h"

#include <QMetaEnum>
#include <QTest>

using State = Conversation::State;
using Event = Conversation::Event;

namespace {

const QStringList From{"Idle",      "NothingHeard",  "Held",  "Tapped",         "Sent",
                       "HandsFree", "HandsFreeSent", "Error", "ErrorUntilReady"};

struct Row
{
    const char *event;
    const char *to[9]; ///< for each state of From; empty: it stays
};

// clang-format off
const Row Rows[] = {
    // from: Idle, NothingHeard, Held, Tapped, Sent, HandsFree, HandsFreeSent, Error, ErrorUntilReady
    {"Press", {"Held", "Held", "", "", "", "Held", "Held", "Held", "Held"}},
    {"Tap", {"Tapped", "Tapped", "Tapped", "Sent", "", "Tapped", "Tapped", "Tapped", "Tapped"}},
    {"Release", {"", "", "Sent", "", "", "", "", "", ""}},
    {"SpeechEnd", {"", "", "", "Sent", "", "", "", "", ""}},
    {"StreamEnd", {"", "", "Idle", "Idle", "Idle", "", "", "", ""}},
    {"StreamSilence", {"", "", "NothingHeard", "NothingHeard", "NothingHeard", "", "", "", ""}},
    {"Cancel", {"", "", "Idle", "Idle", "Idle", "Idle", "Idle", "", ""}},
    {"Failure", {"", "", "Error", "Error", "Error", "", "", "", ""}},
    {"RequestFailure", {"Error", "Error", "", "", "", "", "", "", "Error"}},
    {"BackendLoss", {"", "", "ErrorUntilReady", "ErrorUntilReady", "ErrorUntilReady", "ErrorUntilReady",
                     "ErrorUntilReady", "ErrorUntilReady", ""}},
    {"BackendReturn", {"", "", "", "", "", "", "", "", "Idle"}},
    {"Dismissal", {"", "", "", "", "", "", "", "Idle", "Idle"}},
    {"Timeout", {"", "Idle", "", "Sent", "", "Idle", "Idle", "Idle", "Idle"}},
    {"HandsFreeSpeech", {"HandsFree", "HandsFree", "", "", "", "", "HandsFree", "HandsFree", "HandsFree"}},
    {"HandsFreeSpeechEnd", {"", "", "", "", "", "HandsFreeSent", "", "", ""}},
    {"HandsFreeFinal", {"", "Idle", "", "", "", "Idle", "Idle", "Idle", "Idle"}},
    {"HandsFreeSilence", {"NothingHeard", "", "", "", "", "NothingHeard", "NothingHeard", "NothingHeard",
                          "NothingHeard"}},
    {"HandsFreeIdle", {"", "", "", "", "", "NothingHeard", "NothingHeard", "", ""}},
    {"HandsFreeStop", {"", "", "", "", "", "Idle", "Idle", "", ""}},
    {"HandsFreeFailure", {"Error", "Error", "", "", "", "Error", "Error", "", "Error"}},
};
// clang-format on

template<typename Enum>
Enum valueOf(const QString &name)
{
    bool isKnown = false;
    const int value = QMetaEnum::fromType<Enum>().keyToValue(qPrintable(name), &isKnown);
    if (!isKnown)
        qFatal("there is no %s", qPrintable(name));
    return Enum(value);
}

} // namespace

class TestConversationTransitions : public QObject
{
    Q_OBJECT

private slots:
    void everyStateAndEventIsInTheTable();
    void leadsFromStateToState_data();
    void leadsFromStateToState();
    void groups();
};

void TestConversationTransitions::everyStateAndEventIsInTheTable()
{
    QCOMPARE(QMetaEnum::fromType<State>().keyCount(), int(From.size()));
    const auto events = QMetaEnum::fromType<Event>();
    QCOMPARE(events.keyCount(), int(std::size(Rows)));
    for (int i = 0; i < events.keyCount(); ++i)
        QCOMPARE(Rows[i].event, events.key(i));
}

void TestConversationTransitions::leadsFromStateToState_data()
{
    QTest::addColumn<Event>("event");
    QTest::addColumn<State>("from");
    QTest::addColumn<State>("to");
    for (const Row &row : Rows) {
        for (int i = 0; i < From.size(); ++i) {
            const QString to = QString::fromLatin1(row.to[i]);
            QTest::addRow("%s in %s", row.event, qPrintable(From.at(i)))
                << valueOf<Event>(row.event) << valueOf<State>(From.at(i))
                << valueOf<State>(to.isEmpty() ? From.at(i) : to);
        }
    }
}

void TestConversationTransitions::leadsFromStateToState()
{
    QFETCH(Event, event);
    QFETCH(State, from);
    QFETCH(State, to);
    QCOMPARE(Conversation::next(from, event), to);
}

void TestConversationTransitions::groups()
{
    for (const QString &name : From) {
        const auto state = valueOf<State>(name);
        const bool isPushToTalk = QStringList{"Held", "Tapped", "Sent"}.contains(name);
        QCOMPARE(Conversation::isPushToTalk(state), isPushToTalk);
        QCOMPARE(Conversation::isTurn(state), isPushToTalk || name.startsWith("HandsFree"));
        QCOMPARE(Conversation::isError(state), name.startsWith("Error"));
    }
}

QTEST_GUILESS_MAIN(TestConversationTransitions)
#include "test_conversationtransitions.moc"
