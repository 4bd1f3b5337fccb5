#include "backend/fakebackend.h"
#include "backend/networkmanager.h"
#include "history/suggestions.h"
#include "soon.h"

#include <QSet>
#include <QSignalSpy>
#include <QTest>
#include <QUrlQuery>

namespace {

const char *const Examples = R"({"language": "en", "examples": [
    {"intent": "SetTemperature", "text": "set the temperature to 21 degrees"},
    {"intent": "OpenWindow", "text": "open the window"},
    {"intent": "LockDoors", "text": "lock the doors"},
    {"intent": "RaiseVolume", "text": "louder"},
    {"intent": "Confirm", "text": "yes"},
    {"intent": "AskRange", "text": "how far can I go"}]})";
const QSet<QString> Texts{"set the temperature to 21 degrees", "open the window", "lock the doors", "louder",
                          "how far can I go"};

} // namespace

class TestSuggestions : public QObject
{
    Q_OBJECT

private slots:
    void init();

    void threeAreShownAndThenOthers();
    void theyStandStillWhileNobodySeesThem();
    void whatWasUsedComesLast();
    void asksInTheDriversLanguage();
    void aLanguageWithoutSentencesIsNotTheEnd();
    void anOlderBackendHasNone();

private:
    void becomeReady();
    QString askedLanguage() const
    {
        return QUrlQuery(m_backend->requests("GET /intents").last().target).queryItemValue("language");
    }

    std::unique_ptr<FakeBackend> m_backend;
    std::unique_ptr<NetworkManager> m_network;
    std::unique_ptr<Suggestions> m_suggestions;
};

void TestSuggestions::init()
{
    m_suggestions.reset();
    m_network = std::make_unique<NetworkManager>();
    m_backend = std::make_unique<FakeBackend>();
    m_network->setBackendUrl(m_backend->url());
    m_network->setEventsPort(m_backend->eventsPort());
    m_suggestions = std::make_unique<Suggestions>();
    m_suggestions->setNetwork(m_network.get());
    m_backend->answer("GET /intents", {200, Examples, {}, false});
}

void TestSuggestions::becomeReady()
{
    m_backend->start();
    m_network->setActive(true);
    QTRY_VERIFY(m_network->isConnected());
}

void TestSuggestions::threeAreShownAndThenOthers()
{
    m_suggestions->setInterval(10);
    QCOMPARE(m_suggestions->shown(), QStringList());
    becomeReady();
    QTRY_COMPARE(m_suggestions->shown().size(), 3);
    QSet<QString> seen;
    connect(m_suggestions.get(), &Suggestions::shownChanged, this, [&] {
        for (const QString &text : m_suggestions->shown())
            seen.insert(text);
    });
    m_suggestions->setRunning(true);
    QTRY_COMPARE(seen, Texts); // and what only answers the assistant is not among them
}

void TestSuggestions::theyStandStillWhileNobodySeesThem()
{
    m_suggestions->setInterval(1);
    becomeReady();
    QTRY_COMPARE(m_suggestions->shown().size(), 3);
    m_suggestions->setRunning(true);
    m_suggestions->setRunning(false);
    QSignalSpy changes(m_suggestions.get(), &Suggestions::shownChanged);
    QSignalSpy health(m_network.get(), &NetworkManager::healthCheckResult);
    QVERIFY(health.wait(SoonMs)); // many times the interval
    QCOMPARE(changes.size(), 0);
}

void TestSuggestions::whatWasUsedComesLast()
{
    becomeReady();
    QTRY_COMPARE(m_suggestions->shown().size(), 3);
    for (const char *command : {"SetTemperature", "OpenWindow"})
        emit m_network->acted({"f3a9-1", QString::fromLatin1(command), "done", {}, {}});
    m_suggestions->setRunning(true);
    const QStringList shown = m_suggestions->shown();
    QCOMPARE(QSet<QString>(shown.begin(), shown.end()),
             QSet<QString>({"lock the doors", "louder", "how far can I go"}));
}

void TestSuggestions::asksInTheDriversLanguage()
{
    m_suggestions->setLanguage("de");
    becomeReady();
    QTRY_COMPARE(m_backend->count("GET /intents"), 1);
    QCOMPARE(askedLanguage(), "de");
    m_suggestions->setLanguage("auto");
    QTRY_COMPARE(m_backend->count("GET /intents"), 2);
    QCOMPARE(askedLanguage(), QLocale().name().section('_', 0, 0));
}

void TestSuggestions::aLanguageWithoutSentencesIsNotTheEnd()
{
    m_backend->answer("GET /intents", {422, "{}", {}, false});
    m_suggestions->setLanguage("fr");
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    becomeReady();
    QTRY_COMPARE(m_backend->count("GET /intents"), 2);
    QCOMPARE(askedLanguage(), "");
    QCOMPARE(errors.size(), 0);
}

void TestSuggestions::anOlderBackendHasNone()
{
    m_backend->answer("GET /intents", {404, "{}", {}, false});
    QSignalSpy read(m_network.get(), &NetworkManager::examplesRead);
    becomeReady();
    QTRY_COMPARE(read.size(), 1);
    m_suggestions->setRunning(true);
    QCOMPARE(m_suggestions->shown(), QStringList());
}

QTEST_GUILESS_MAIN(TestSuggestions)

#include "test_suggestions.moc"
