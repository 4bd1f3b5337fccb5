#include "backend/fakebackend.h"
#include "backend/networkmanager.h"
#include "screen/conversation.h"
#include "soon.h"

#include <QFile>
#include <QJsonDocument>
#include <QSignalSpy>
#include <QTest>
#include <QUrlQuery>

#include <memory>

using State = Conversation::State;

namespace {

/// A moment longer than a mere touch.
constexpr int LongTouchMs = 350;

QString recording(const QString &name)
{
    return QFINDTESTDATA("../../../audio/" + name + ".wav");
}

const char Done[] = R"({"type": "action", "intent": "SetTemperature", "outcome": "done", "held": [
    {"path": "A.Temperature", "value": 21, "unit": "celsius", "previous": 19}]})";

/// A message about an utterance.
QJsonObject json(const char *text, const QString &utterance)
{
    QJsonObject object = QJsonDocument::fromJson(text).object();
    Q_ASSERT(!object.isEmpty());
    object["utterance_id"] = utterance;
    return object;
}

} // namespace

class TestConversation : public QObject
{
    Q_OBJECT

private slots:
    void init();
    void cleanup();

    void canTalkWhenAllIsThere();
    void doesNothingWhereItCannotTalk();

    void aHeldButtonIsHeard();
    void severalFinalsOfOnePressAreJoined();
    void aFinalIsAwaitedUntilThereIsOne();
    void isAnswered();
    void aTapOrAPressEndsTheVoice();
    void theNewestAnswerIsShown();
    void aLateAnswerStaysWithItsUtterance();
    void aCommandHasACard();
    void aTextThatIsNoneHasNoCard();
    void answersAndCardsGoAfterAWhile();
    void textThatIsNoCommandStays();
    void anErrorIsNeverBesideACard();
    void aLostBackendTakesTheCard();
    void aQuestionStaysWhileItIsAnswered();
    void whatWasDoneIsTakenBackByATap();
    void aQuestionIsAnsweredByATap_data();
    void aQuestionIsAnsweredByATap();
    void aTapThatFailsIsAnError();
    void aMereTouchIsSilent();
    void silenceIsTold();
    void silenceIsForgottenAfterAWhile();
    void aTapEndsWithTheSpeech();
    void aSecondTapEnds();
    void anEarlyReleaseMakesATapOfAPress();
    void aTapWithoutSpeechEnds();
    void speechIsNotCutOffByThatTime();
    void theEndOfAFileEndsATap();
    void cancelDropsWhatIsSaid();
    void onePressAtATime();

    void anErrorOfTheStreamIsShownForAWhile();
    void pressingLeavesTheError();
    void theMicrophonesErrorIsShown();
    void aLostBackendIsAnErrorUntilItIsBack_data();
    void aLostBackendIsAnErrorUntilItIsBack();
    void otherErrorsWaitForTheEndOfSpeech();

    void handsFreeIsFollowed();
    void handsFreeIsNotFollowedWhenOff();
    void handsFreeIsAnswered();
    void handsFreeIsAsLoudAsItIs();
    void cancelEndsListening();
    void aCallWithoutSpeechIsTold();
    void pushToTalkWins();
    void cancelIgnoresTheRestOfAHandsFreeTurn();
    void switchingOffEndsAHandsFreeTurn();
    void anErrorOfTheBackendsMicrophoneIsShown();
    void tellsTheBackendWhetherToListen();
    void doesNotSwitchTheMicrophoneUnasked();

    void partsMayGoAtAnyTime();

private:
    void becomeReady();
    void startTalking();
    QString historyText(int row) const;
    /// Have the fake backend understand, and do, what was said.
    void sendCommand(const QString &utterance);
    void sendQuestion(const QString &utterance);
    /// A command that is done, and the end of its stream.
    void haveACard();
    CommandCard::State cardState() const { return m_conversation->card()->state(); }
    /// Its earcon, a colon, and the answer.
    QString historyAnswer(int row) const;

    std::unique_ptr<FakeBackend> m_backend;
    std::unique_ptr<AudioEngine> m_audio;
    std::unique_ptr<NetworkManager> m_network;
    std::unique_ptr<TranscriptionModel> m_history;
    std::unique_ptr<Conversation> m_conversation;
};

void TestConversation::init()
{
    m_backend = std::make_unique<FakeBackend>();
    m_audio = std::make_unique<AudioEngine>();
    m_audio->setSourceFile(recording("set_the_temperature"));
    m_network = std::make_unique<NetworkManager>();
    m_network->setBackendUrl(m_backend->url());
    m_network->setEventsPort(m_backend->eventsPort());
    m_history = std::make_unique<TranscriptionModel>();
    m_conversation = std::make_unique<Conversation>();
    m_conversation->setAudio(m_audio.get());
    m_conversation->setNetwork(m_network.get());
    m_conversation->setHistory(m_history.get());
}

void TestConversation::cleanup()
{
    m_conversation.reset();
    m_history.reset();
    m_network.reset();
    m_audio.reset();
    m_backend.reset();
}

void TestConversation::becomeReady()
{
    QSignalSpy states(m_network.get(), &NetworkManager::pipelineStateChanged);
    m_backend->start();
    m_network->setActive(true);
    QTRY_COMPARE(states.size(), 1);
    QTRY_VERIFY(m_conversation->canTalk());
}

/// Until the backend hears something.
void TestConversation::startTalking()
{
    const int before = m_backend->streamCount();
    m_conversation->press();
    QTRY_COMPARE(m_backend->streamCount(), before + 1);
    QTRY_VERIFY(m_backend->audio().size() > 0);
}

QString TestConversation::historyText(int row) const
{
    return m_history->data(m_history->index(row, 0), TranscriptionModel::TextRole).toString();
}

QString TestConversation::historyAnswer(int row) const
{
    const QModelIndex entry = m_history->index(row, 0);
    return m_history->data(entry, TranscriptionModel::EarconRole).toString() + ':'
           + m_history->data(entry, TranscriptionModel::AnswerRole).toString();
}

void TestConversation::canTalkWhenAllIsThere()
{
    QSignalSpy changes(m_conversation.get(), &Conversation::canTalkChanged);
    QCOMPARE(m_conversation->state(), State::Idle);
    QVERIFY(!m_conversation->canTalk());
    becomeReady();
    QCOMPARE(changes.size(), 1);
    m_conversation->setAudio(nullptr);
    QVERIFY(!m_conversation->canTalk());
    m_conversation->setAudio(m_audio.get());
    QVERIFY(m_conversation->canTalk());
    m_backend->stop();
    QTRY_VERIFY(!m_conversation->canTalk());
    QCOMPARE(m_conversation->state(), State::Idle); // nobody was talking, so the status bar's word is enough
}

void TestConversation::doesNothingWhereItCannotTalk()
{
    m_backend->start();
    m_conversation->press();
    m_conversation->toggle();
    m_conversation->release();
    m_conversation->cancel();
    m_conversation->dismissError();
    QCOMPARE(m_conversation->state(), State::Idle);
    QVERIFY(!m_audio->isCapturing());
    QCOMPARE(m_backend->streamCount(), 0);
}

// ---- push-to-talk

void TestConversation::aHeldButtonIsHeard()
{
    becomeReady();
    m_conversation->setLanguage("de");
    QByteArray captured;
    connect(m_audio.get(), &AudioEngine::audioDataReady, this,
            [&](const QByteArray &chunk) { captured += chunk; });
    m_conversation->press();
    QCOMPARE(m_conversation->state(), State::Held);
    QVERIFY(m_audio->isCapturing());
    QTRY_VERIFY(m_backend->audio().size() >= 4 * 6400);
    QCOMPARE(QUrlQuery(m_backend->streamRequest().target).queryItemValue("language"), "de");
    m_backend->sendToStream({{"type", "partial"}, {"text", "set the"}});
    QTRY_COMPARE(m_conversation->partialText(), "set the");

    m_conversation->release();
    QCOMPARE(m_conversation->state(), State::Sent);
    QVERIFY(!m_audio->isCapturing());
    QTRY_COMPARE(m_backend->streamMessages(), QStringList(R"({"type":"end"})"));
    QCOMPARE(m_backend->audio(), captured); // to its last chunk, and nothing after it
    m_backend->sendFinal(" set the temperature ", 0.5);
    QTRY_COMPARE(m_conversation->finalText(), "set the temperature");
    QCOMPARE(m_conversation->partialText(), "");
    QCOMPARE(m_conversation->state(), State::Sent); // there may be more
    m_backend->sendToStream({{"type", "end"}});
    QTRY_COMPARE(m_conversation->state(), State::Idle);
    QCOMPARE(m_history->count(), 1);
    const QModelIndex entry = m_history->index(0, 0);
    QCOMPARE(historyText(0), "set the temperature");
    QCOMPARE(m_history->data(entry, TranscriptionModel::LanguageRole).toString(), "en");
    QCOMPARE(m_history->data(entry, TranscriptionModel::LatencyRole).toDouble(), 0.5);
}

void TestConversation::severalFinalsOfOnePressAreJoined()
{
    becomeReady();
    startTalking();
    m_backend->sendFinal("turn on the heating");
    QTRY_COMPARE(m_history->count(), 1);
    QCOMPARE(m_conversation->state(), State::Held); // as long as it is held
    m_conversation->release();
    m_backend->sendFinal("");
    m_backend->sendFinal("and navigate home");
    m_backend->sendToStream({{"type", "end"}});
    QTRY_COMPARE(m_conversation->state(), State::Idle);
    QCOMPARE(m_conversation->finalText(), "turn on the heating and navigate home");
    QCOMPARE(m_history->count(), 2);
    QCOMPARE(historyText(0), "and navigate home");

    startTalking();
    m_backend->sendFinal("yes");
    QTRY_COMPARE(m_conversation->finalText(), "yes");
}

void TestConversation::aFinalIsAwaitedUntilThereIsOne()
{
    becomeReady();
    QVERIFY(!m_conversation->isAwaitingFinal());
    for (int turn = 0; turn < 2; ++turn) {
        startTalking();
        QVERIFY(m_conversation->isAwaitingFinal());
        QSignalSpy changes(m_conversation.get(), &Conversation::awaitingFinalChanged);
        m_backend->sendFinal("yes"); // the second time the text is the same
        QVERIFY(changes.wait(SoonMs));
        QCOMPARE(m_conversation->state(), State::Held);
        QVERIFY(!m_conversation->isAwaitingFinal());
        m_conversation->cancel();
    }
    startTalking();
    m_conversation->cancel();
    QVERIFY(!m_conversation->isAwaitingFinal());
    QCOMPARE(m_conversation->finalText(), "yes");
}

void TestConversation::isAnswered()
{
    becomeReady();
    startTalking();
    m_conversation->release();
    m_backend->sendFinal("set the temperature", 0.5, "f3a9-1");
    QTRY_COMPARE(m_conversation->finalText(), "set the temperature");
    QCOMPARE(m_conversation->answer(), "");
    m_backend->sendAnswer(" The temperature is 21 degrees. ", "done", "f3a9-1");
    QTRY_COMPARE(m_conversation->answer(), "The temperature is 21 degrees.");
    QCOMPARE(m_conversation->earcon(), "done");
    QCOMPARE(m_conversation->state(), State::Sent);
    QCOMPARE(historyAnswer(0), "done:The temperature is 21 degrees.");
    m_backend->sendToStream({{"type", "end"}});
    QTRY_COMPARE(m_conversation->state(), State::Idle);
    QCOMPARE(m_conversation->answer(), "The temperature is 21 degrees.");

    // It stands until somebody begins to say something else.
    startTalking();
    QCOMPARE(m_conversation->answer(), "");
    m_backend->sendFinal("good morning", 0.5, "a1b2-1");
    QTRY_COMPARE(m_conversation->finalText(), "good morning");
    QCOMPARE(m_conversation->answer(), "");
    QCOMPARE(m_conversation->earcon(), "");
    QCOMPARE(historyAnswer(1), "done:The temperature is 21 degrees.");
}

void TestConversation::aTapOrAPressEndsTheVoice()
{
    becomeReady();
    startTalking();
    m_conversation->hush();
    m_backend->sendFinal("set the temperature", 0.5, "f3a9-1");
    m_backend->sendAnswer("The temperature is 21 degrees.", "done", "f3a9-1");
    m_backend->sendToStream({{"type", "end"}});
    QTRY_COMPARE(m_conversation->state(), State::Idle);
    QCOMPARE(m_backend->count("POST /answers/stop"), 0);

    m_conversation->hush();
    QTRY_COMPARE(m_backend->count("POST /answers/stop"), 1);
    QCOMPARE(m_conversation->answer(), "The temperature is 21 degrees.");
    startTalking();
    QTRY_COMPARE(m_backend->count("POST /answers/stop"), 2);
}

void TestConversation::theNewestAnswerIsShown()
{
    becomeReady();
    startTalking();
    m_backend->sendFinal("turn on the heating", 0.5, "f3a9-1");
    m_backend->sendFinal("and open the trunk", 0.5, "f3a9-2");
    m_backend->sendAnswer("The heating is on.", "done", "f3a9-1");
    m_backend->sendAnswer("The car is moving.", "failed", "f3a9-2");
    QTRY_COMPARE(m_conversation->answer(), "The car is moving.");
    QCOMPARE(m_conversation->earcon(), "failed");
    QCOMPARE(m_conversation->finalText(), "turn on the heating and open the trunk");
    QCOMPARE(historyAnswer(1), "done:The heating is on.");
    QCOMPARE(historyAnswer(0), "failed:The car is moving.");
}

void TestConversation::aLateAnswerStaysWithItsUtterance()
{
    becomeReady();
    startTalking();
    m_backend->sendFinal("call Anna", 0.5, "f3a9-1");
    QTRY_COMPARE(m_history->count(), 1);
    m_conversation->cancel();
    startTalking();
    m_backend->sendFinal("cancel", 0.5, "a1b2-1");
    m_backend->sendAnswer("Which Anna?", "question", "f3a9-1");
    QTRY_COMPARE(historyAnswer(1), "question:Which Anna?");
    QCOMPARE(historyAnswer(0), ":");
    QCOMPARE(m_conversation->finalText(), "cancel");
    QCOMPARE(m_conversation->answer(), "");
    m_history->clearHistory();
    m_backend->sendAnswer("All right.", "done", "a1b2-1");
    QTRY_COMPARE(m_conversation->answer(), "All right.");
}

// ---- the card

void TestConversation::sendCommand(const QString &utterance)
{
    m_backend->sendToStream(
        json(R"({"type": "intent", "language": "en", "intent": {"name": "SetTemperature", "slots": []}})",
             utterance));
    m_backend->sendToStream(json(Done, utterance));
    m_backend->sendAnswer("The temperature is 21 degrees.", "done", utterance);
}

void TestConversation::sendQuestion(const QString &utterance)
{
    m_backend->sendToStream(
        json(R"({"type": "intent", "language": "en", "question": "which", "alternatives": [
        {"name": "CallContact", "slots": [{"name": "contact", "value": "Anna Smith"}]},
        {"name": "CallContact", "slots": [{"name": "contact", "value": "Anna Jones"}]}]})",
             utterance));
    m_backend->sendAnswer("Which Anna?", "question", utterance);
}

void TestConversation::haveACard()
{
    becomeReady();
    startTalking();
    m_conversation->release();
    m_backend->sendFinal("set the temperature", 0.5, "f3a9-1");
    sendCommand("f3a9-1");
    m_backend->sendToStream({{"type", "end"}});
    QTRY_COMPARE(m_conversation->state(), State::Idle);
    QCOMPARE(cardState(), CommandCard::State::Done);
}

void TestConversation::aCommandHasACard()
{
    haveACard();
    QCOMPARE(m_conversation->card()->title(), "Temperature");
    QCOMPARE(m_conversation->card()->before(), "19 °C");
    QCOMPARE(m_conversation->card()->value(), "21 °C");
    QVERIFY(m_conversation->card()->canUndo());

    startTalking(); // the next one
    QCOMPARE(cardState(), CommandCard::State::None);
    QCOMPARE(m_conversation->finalText(), "");
    sendCommand("f3a9-1"); // comes too late
    m_backend->sendFinal("good morning", 0.5, "a1b2-1");
    QTRY_COMPARE(m_conversation->finalText(), "good morning");
    QCOMPARE(cardState(), CommandCard::State::None);
}

void TestConversation::aTextThatIsNoneHasNoCard()
{
    becomeReady();
    startTalking();
    m_backend->sendFinal("good morning", 0.5, "f3a9-1");
    m_backend->sendToStream(json(R"({"type": "intent", "language": "en", "intent": null})", "f3a9-1"));
    m_backend->sendAnswer("I did not understand that.", "failed", "f3a9-1");
    QTRY_COMPARE(m_conversation->answer(), "I did not understand that.");
    QCOMPARE(cardState(), CommandCard::State::None);
    QCOMPARE(m_conversation->finalText(), "good morning");
}

void TestConversation::answersAndCardsGoAfterAWhile()
{
    QCOMPARE(m_conversation->answerTimeout(), 20'000);
    haveACard();
    QCOMPARE(m_conversation->finalText(), "set the temperature");
    m_conversation->setAnswerTimeout(10);
    QTRY_COMPARE(cardState(), CommandCard::State::None);
    QCOMPARE(m_conversation->answer(), "");
    QCOMPARE(m_conversation->finalText(), "");
}

void TestConversation::textThatIsNoCommandStays()
{
    becomeReady();
    m_conversation->setAnswerTimeout(10);
    startTalking();
    m_backend->sendFinal("good morning", 0.5, "f3a9-1");
    QSignalSpy answers(m_conversation.get(), &Conversation::answerChanged);
    m_backend->sendAnswer("I did not understand that.", "failed", "f3a9-1");
    QTRY_COMPARE(answers.size(), 2);
    QCOMPARE(m_conversation->answer(), "");
    QCOMPARE(m_conversation->finalText(), "good morning");
}

void TestConversation::anErrorIsNeverBesideACard()
{
    haveACard();
    m_backend->answer("POST /transcribe/base64", {500, "{}", {}, false});
    m_network->transcribeBase64("RIFF");
    QTRY_COMPARE(m_conversation->state(), State::Error);
    QCOMPARE(cardState(), CommandCard::State::None);
    QCOMPARE(m_conversation->answer(), "");
    QCOMPARE(m_conversation->finalText(), "set the temperature"); // which is nobody's answer
}

void TestConversation::aLostBackendTakesTheCard()
{
    haveACard();
    m_backend->stop();
    QTRY_COMPARE(cardState(), CommandCard::State::None);
    QCOMPARE(m_conversation->answer(), "");
    QCOMPARE(m_conversation->finalText(), "set the temperature");
}

void TestConversation::aQuestionStaysWhileItIsAnswered()
{
    becomeReady();
    startTalking();
    m_conversation->release();
    m_backend->sendFinal("call Anna", 0.5, "f3a9-1");
    sendQuestion("f3a9-1");
    m_backend->sendToStream({{"type", "end"}});
    QTRY_COMPARE(m_conversation->state(), State::Idle);
    startTalking();
    QCOMPARE(cardState(), CommandCard::State::Asking);
    QCOMPARE(m_conversation->card()->value(), "Which one?");
    m_conversation->confirm(true); // a finger that slips says nothing into that
    m_backend->sendFinal("the first", 0.5, "a1b2-1");
    QTRY_COMPARE(cardState(), CommandCard::State::None);
    QCOMPARE(m_backend->count("POST /intent"), 0);
}

void TestConversation::whatWasDoneIsTakenBackByATap()
{
    haveACard();
    m_backend->answer("POST /intent", {200,
                                       R"({"intent": {"name": "Undo", "slots": []}, "language": "en",
        "action": {"intent": "Undo", "outcome": "done", "held": [
            {"path": "A.Temperature", "value": 19, "unit": "celsius", "previous": 21}]},
        "answer": {"text": "I took that back.", "earcon": "done"}})",
                                       {},
                                       false});
    m_conversation->undo();
    m_conversation->undo(); // a finger that trembles
    QTRY_COMPARE(cardState(), CommandCard::State::TakenBack);
    QCOMPARE(m_conversation->card()->title(), "Temperature");
    QCOMPARE(m_conversation->card()->value(), "19 °C");
    QCOMPARE(m_conversation->answer(), "I took that back.");
    m_conversation->undo();
    QCOMPARE(m_backend->count("POST /intent"), 1);
    const QJsonObject body =
        QJsonDocument::fromJson(m_backend->requests("POST /intent").first().body).object();
    QCOMPARE(body.value("text").toString(), "undo");
    QCOMPARE(body.value("language").toString(), "en");
    QCOMPARE(body.value("execute").toBool(), true);
    QVERIFY(!body.value("utterance_id").toString().isEmpty());
    QCOMPARE(body.value("conversation").toString(),
             QUrlQuery(m_backend->streamRequest().target).queryItemValue("conversation"));
}

void TestConversation::aQuestionIsAnsweredByATap_data()
{
    QTest::addColumn<QString>("source");
    QTest::newRow("of the screen's microphone") << "stream";
    QTest::newRow("of the backend's microphone") << "microphone";
}

void TestConversation::aQuestionIsAnsweredByATap()
{
    QFETCH(QString, source);
    const bool isBackends = source == "microphone";
    m_conversation->setHandsFree(isBackends);
    becomeReady();
    m_backend->answer("POST /intent", {200,
                                       R"({"intent": {"name": "OpenTrunk", "slots": []}, "language": "en",
        "action": {"intent": "OpenTrunk", "outcome": "refused", "reason": {"cause": "moving"}, "held": []},
        "answer": {"text": "Not while the car moves.", "earcon": "failed"}})",
                                       {},
                                       false});
    const auto understood = R"({"type": "intent", "language": "en", "question": "sure", "alternatives": [
        {"name": "OpenTrunk", "slots": []}]})";
    if (isBackends) {
        m_backend->sendEvent({{"type", "transcript"},
                              {"text", "open the trunk"},
                              {"source", "microphone"},
                              {"utterance_id", "f3a9-1"}});
        QJsonObject event = json(understood, "f3a9-1");
        event["source"] = "microphone";
        m_backend->sendEvent(event);
    } else {
        startTalking();
        m_conversation->release();
        m_backend->sendFinal("open the trunk", 0.5, "f3a9-1");
        m_backend->sendToStream(json(understood, "f3a9-1"));
    }
    QTRY_COMPARE(cardState(), CommandCard::State::Asking);
    m_conversation->choose(0); // there is nothing to choose
    m_conversation->confirm(true);
    QCOMPARE(cardState(), CommandCard::State::Doing);
    QTRY_COMPARE(cardState(), CommandCard::State::Refused);
    QCOMPARE(m_conversation->card()->sentence(), "Not while the car moves.");
    QCOMPARE(m_backend->count("POST /intent"), 1);
    const QJsonObject body =
        QJsonDocument::fromJson(m_backend->requests("POST /intent").first().body).object();
    QCOMPARE(body.value("text").toString(), "yes");
    const QUrlQuery stream(m_backend->streamRequest().target);
    QCOMPARE(body.value("conversation").toString(),
             isBackends ? "microphone" : stream.queryItemValue("conversation"));
    // What was asked is answered: nothing that is said now is the answer.
    QTRY_COMPARE(m_backend->count("POST /listening/cancel"), isBackends ? 1 : 0);
}

void TestConversation::aTapThatFailsIsAnError()
{
    haveACard();
    m_backend->answer("POST /intent", {500, "{}", {}, false});
    m_conversation->undo();
    QTRY_COMPARE(m_conversation->state(), State::Error);
    QCOMPARE(cardState(), CommandCard::State::None);
}

void TestConversation::aMereTouchIsSilent()
{
    becomeReady();
    m_conversation->press();
    m_conversation->release();
    QTRY_COMPARE(m_backend->streamMessages().size(), 1);
    m_backend->sendToStream({{"type", "end"}});
    QTRY_COMPARE(m_conversation->state(), State::Idle);
    QCOMPARE(m_history->count(), 0);
}

void TestConversation::silenceIsTold()
{
    becomeReady();
    startTalking();
    QTRY_VERIFY(m_backend->audio().size() >= LongTouchMs * 64);
    m_conversation->release();
    m_backend->sendFinal("");
    m_backend->sendToStream({{"type", "end"}});
    QTRY_COMPARE(m_conversation->state(), State::NothingHeard);
    QCOMPARE(m_history->count(), 0);
    QCOMPARE(m_conversation->finalText(), "");
    m_conversation->press();
    QCOMPARE(m_conversation->state(), State::Held);
}

void TestConversation::silenceIsForgottenAfterAWhile()
{
    becomeReady();
    m_conversation->setSilenceTimeout(100);
    m_conversation->setHandsFree(true);
    QList<State> states;
    connect(m_conversation.get(), &Conversation::stateChanged, this,
            [&] { states.append(m_conversation->state()); });
    m_backend->sendState("LISTENING");
    m_backend->sendState("IDLE");
    QTRY_COMPARE(states, QList<State>({State::HandsFree, State::NothingHeard, State::Idle}));
}

void TestConversation::aTapEndsWithTheSpeech()
{
    becomeReady();
    m_conversation->toggle();
    QCOMPARE(m_conversation->state(), State::Tapped);
    m_conversation->release(); // of a button that knows no taps
    QTRY_VERIFY(m_backend->audio().size() > 0);
    QCOMPARE(m_conversation->state(), State::Tapped);
    m_backend->sendFinal("navigate home");
    // Before the recording ends, which ends a tap too.
    QTRY_COMPARE(m_conversation->state(), State::Sent);
    QVERIFY(!m_audio->isCapturing());
    QTRY_COMPARE(m_backend->streamMessages().size(), 1);
    m_backend->sendToStream({{"type", "end"}});
    QTRY_COMPARE(m_conversation->state(), State::Idle);
    QCOMPARE(m_history->count(), 1);
}

void TestConversation::aSecondTapEnds()
{
    becomeReady();
    m_conversation->toggle();
    QTRY_VERIFY(m_backend->audio().size() > 0);
    m_conversation->toggle();
    QCOMPARE(m_conversation->state(), State::Sent);
    m_conversation->toggle(); // it is thinking already
    QCOMPARE(m_conversation->state(), State::Sent);
    m_backend->sendFinal("navigate home");
    m_backend->sendToStream({{"type", "end"}});
    QTRY_COMPARE(m_conversation->state(), State::Idle);
    QCOMPARE(m_conversation->finalText(), "navigate home");
}

void TestConversation::anEarlyReleaseMakesATapOfAPress()
{
    becomeReady();
    m_conversation->press();
    m_conversation->toggle();
    QCOMPARE(m_conversation->state(), State::Tapped);
    m_conversation->release();
    QCOMPARE(m_conversation->state(), State::Tapped);
    QTRY_VERIFY(m_backend->audio().size() > 0);
    QCOMPARE(m_backend->streamCount(), 1);
    m_conversation->toggle();
    QCOMPARE(m_conversation->state(), State::Sent);
}

void TestConversation::aTapWithoutSpeechEnds()
{
    becomeReady();
    m_conversation->setSpeechTimeout(LongTouchMs);
    m_conversation->toggle();
    QTRY_COMPARE(m_conversation->state(), State::Sent);
    QTRY_COMPARE(m_backend->streamMessages().size(), 1);
    m_backend->sendToStream({{"type", "end"}});
    QTRY_COMPARE(m_conversation->state(), State::NothingHeard);
}

void TestConversation::speechIsNotCutOffByThatTime()
{
    becomeReady();
    m_conversation->setSpeechTimeout(600);
    QSignalSpy speech(m_network.get(), &NetworkManager::speechStarted);
    QSignalSpy states(m_conversation.get(), &Conversation::stateChanged);
    m_conversation->toggle();
    QTRY_VERIFY(m_backend->stream() != nullptr);
    m_backend->sendToStream({{"type", "speech_started"}});
    QVERIFY(speech.wait(SoonMs));
    QVERIFY(!states.wait(900));
    QCOMPARE(m_conversation->state(), State::Tapped);
}

void TestConversation::theEndOfAFileEndsATap()
{
    m_audio->setSourceFile(recording("turn_on_the_heating"));
    becomeReady();
    m_conversation->toggle();
    QTRY_COMPARE(m_conversation->state(), State::Sent);
    QFile file(recording("turn_on_the_heating"));
    // 44 bytes of header; 16 bits for a sample there, 32 here; and silence to the end of the last chunk.
    QTRY_VERIFY(m_backend->audio().size() >= 2 * (file.size() - 44));
}

void TestConversation::cancelDropsWhatIsSaid()
{
    becomeReady();
    startTalking();
    m_backend->sendToStream({{"type", "partial"}, {"text", "set"}});
    QTRY_COMPARE(m_conversation->partialText(), "set");
    m_backend->sendFinal("set");
    m_conversation->cancel();
    QCOMPARE(m_conversation->state(), State::Idle);
    QCOMPARE(m_conversation->partialText(), "");
    QVERIFY(!m_audio->isCapturing());
    QTRY_VERIFY(m_backend->stream() == nullptr);
    QCOMPARE(m_backend->streamMessages(), QStringList());
    QCOMPARE(m_history->count(), 0);
}

void TestConversation::onePressAtATime()
{
    becomeReady();
    startTalking();
    m_conversation->press();
    m_conversation->release();
    m_conversation->press();
    QCOMPARE(m_conversation->state(), State::Sent);
    m_backend->sendFinal("yes");
    m_backend->sendToStream({{"type", "end"}});
    QTRY_COMPARE(m_conversation->state(), State::Idle);
    QCOMPARE(m_backend->streamCount(), 1);
    QCOMPARE(m_history->count(), 1);
}

// ---- errors

void TestConversation::anErrorOfTheStreamIsShownForAWhile()
{
    becomeReady();
    m_conversation->setErrorTimeout(300);
    startTalking();
    m_backend->sendToStream(
        {{"type", "error"}, {"code", "failed"}, {"message", "the model failed: try again"}});
    QTRY_COMPARE(m_conversation->state(), State::Error);
    QCOMPARE(m_conversation->error(), "The model failed.");
    QCOMPARE(m_conversation->wayOut(), "Try again.");
    QVERIFY(!m_audio->isCapturing());
    QTRY_VERIFY(m_backend->stream() == nullptr);
    QTRY_COMPARE(m_conversation->state(), State::Idle);
    QCOMPARE(m_conversation->error(), "");
    m_conversation->release(); // the finger is still there, and goes now
    QCOMPARE(m_conversation->state(), State::Idle);
}

void TestConversation::pressingLeavesTheError()
{
    becomeReady();
    startTalking();
    m_backend->cutStream();
    QTRY_COMPARE(m_conversation->state(), State::Error);
    QVERIFY(!m_conversation->error().isEmpty());
    QVERIFY(!m_conversation->wayOut().isEmpty());
    m_conversation->press();
    QCOMPARE(m_conversation->state(), State::Held);
    QCOMPARE(m_conversation->error(), "");
    m_conversation->cancel();

    startTalking();
    m_backend->cutStream();
    QTRY_COMPARE(m_conversation->state(), State::Error);
    m_conversation->dismissError();
    QCOMPARE(m_conversation->state(), State::Idle);
}

void TestConversation::theMicrophonesErrorIsShown()
{
    becomeReady();
    m_audio->setSourceFile("/nowhere/at_all.wav");
    m_conversation->press();
    QCOMPARE(m_conversation->state(), State::Error);
    QCOMPARE(m_conversation->error(), m_audio->error());
    QVERIFY(!m_conversation->wayOut().isEmpty());

    // And in the middle of speech.
    m_audio->setSourceFile(recording("set_the_temperature"));
    startTalking();
    m_audio->setSourceFile("/nowhere/at_all.wav");
    QCOMPARE(m_conversation->state(), State::Error);
    QTRY_VERIFY(m_backend->stream() == nullptr);
}

void TestConversation::aLostBackendIsAnErrorUntilItIsBack_data()
{
    QTest::addColumn<State>("during");
    QTest::addColumn<bool>("hangs");
    QTest::newRow("dies while listening") << State::Held << false;
    QTest::newRow("dies while thinking") << State::Sent << false;
    QTest::newRow("hangs while thinking") << State::Sent << true;
}

void TestConversation::aLostBackendIsAnErrorUntilItIsBack()
{
    QFETCH(State, during);
    QFETCH(bool, hangs);
    becomeReady();
    m_history->addTranscription("earlier", QDateTime::currentDateTime());
    startTalking();
    if (during == State::Sent)
        m_conversation->release();
    QCOMPARE(m_conversation->state(), during);
    if (hangs)
        m_backend->setHanging(true);
    else
        m_backend->stop();
    QTRY_VERIFY(Conversation::isError(m_conversation->state()));
    QVERIFY(!m_conversation->error().isEmpty());
    QTRY_COMPARE(m_network->backendState(), NetworkManager::BackendState::Lost);
    QCOMPARE(m_conversation->state(), State::ErrorUntilReady);
    QVERIFY(!m_audio->isCapturing());
    if (hangs)
        m_backend->setHanging(false);
    else
        m_backend->start();
    QTRY_COMPARE(m_conversation->state(), State::Idle);
    QVERIFY(m_conversation->canTalk());
    QCOMPARE(m_history->count(), 1);
}

void TestConversation::otherErrorsWaitForTheEndOfSpeech()
{
    becomeReady();
    m_network->transcribeFile("/nowhere/1.wav");
    QCOMPARE(m_conversation->state(), State::Error);
    QCOMPARE(m_conversation->error(), "The file 1.wav cannot be read.");

    startTalking();
    m_network->transcribeFile("/nowhere/2.wav");
    QCOMPARE(m_conversation->state(), State::Held);
    m_conversation->release();
    m_backend->sendFinal("yes");
    m_backend->sendToStream({{"type", "end"}});
    QTRY_COMPARE(m_conversation->state(), State::Error);
    QCOMPARE(m_conversation->error(), "The file 2.wav cannot be read.");
    QCOMPARE(m_conversation->finalText(), "yes");
}

// ---- hands-free

void TestConversation::handsFreeIsFollowed()
{
    m_conversation->setHandsFree(true);
    becomeReady();
    m_backend->sendEvent({{"type", "wake_word_detected"}, {"name", "hey_mycroft"}});
    m_backend->sendState("LISTENING");
    QTRY_COMPARE(m_conversation->state(), State::HandsFree);
    QVERIFY(!m_audio->isCapturing()); // it is the backend's microphone
    m_backend->sendEvent({{"type", "partial"}, {"text", "turn on"}});
    QTRY_COMPARE(m_conversation->partialText(), "turn on");
    m_backend->sendState("PROCESSING");
    QTRY_COMPARE(m_conversation->state(), State::HandsFreeSent);
    m_backend->sendState("EMIT");
    m_backend->sendEvent({{"type", "transcript"},
                          {"text", "turn on the heating"},
                          {"language", "en"},
                          {"latency", 0.7},
                          {"timestamp", 1698345602.6},
                          {"source", "microphone"}});
    QTRY_COMPARE(m_conversation->state(), State::Idle);
    QCOMPARE(m_conversation->finalText(), "turn on the heating");
    QCOMPARE(m_conversation->partialText(), "");
    QCOMPARE(m_history->count(), 1);
    QCOMPARE(m_history->data(m_history->index(0, 0), TranscriptionModel::TimeRole).toDateTime(),
             QDateTime::fromMSecsSinceEpoch(1698345602600));
}

void TestConversation::handsFreeIsNotFollowedWhenOff()
{
    becomeReady();
    QSignalSpy transcripts(m_network.get(), &NetworkManager::handsFreeTranscript);
    QSignalSpy states(m_conversation.get(), &Conversation::stateChanged);
    m_backend->sendEvent({{"type", "wake_word_detected"}, {"name", "hey_mycroft"}});
    m_backend->sendState("LISTENING");
    m_backend->sendEvent({{"type", "partial"}, {"text", "turn on"}});
    m_backend->sendEvent(
        {{"type", "error"}, {"stage", "capture"}, {"error_type", "AudioError"}, {"message", "gone"}});
    m_backend->sendEvent({{"type", "transcript"}, {"text", "turn on the heating"}, {"source", "microphone"}});
    QVERIFY(transcripts.wait(SoonMs));
    QCOMPARE(states.size(), 0);
    QCOMPARE(m_history->count(), 0);
    QCOMPARE(m_conversation->finalText(), "");
}

void TestConversation::handsFreeIsAnswered()
{
    m_conversation->setHandsFree(true);
    becomeReady();
    const auto say = [this](const QString &text, const QString &utterance) {
        m_backend->sendEvent(
            {{"type", "transcript"}, {"text", text}, {"source", "microphone"}, {"utterance_id", utterance}});
    };
    const auto answer = [this](const QString &text, const QString &utterance) {
        m_backend->sendEvent({{"type", "answer"},
                              {"text", text},
                              {"earcon", "done"},
                              {"source", "microphone"},
                              {"utterance_id", utterance}});
    };
    say("turn on the heating", "f3a9-1");
    answer("The heating is on.", "f3a9-1");
    QTRY_COMPARE(m_conversation->answer(), "The heating is on.");
    QCOMPARE(m_conversation->earcon(), "done");
    QCOMPARE(historyAnswer(0), "done:The heating is on.");
    QCOMPARE(m_conversation->state(), State::Idle);

    // What is not shown has no answer that is shown.
    m_backend->sendState("LISTENING");
    QTRY_COMPARE(m_conversation->state(), State::HandsFree);
    m_conversation->cancel();
    QSignalSpy answers(m_network.get(), &NetworkManager::handsFreeAnswer);
    say("not meant", "f3a9-2");
    answer("All right.", "f3a9-2");
    QVERIFY(answers.wait(SoonMs));
    QCOMPARE(m_conversation->answer(), "");
    QCOMPARE(m_history->count(), 1);
}

void TestConversation::handsFreeIsAsLoudAsItIs()
{
    m_conversation->setHandsFree(true);
    becomeReady();
    QSignalSpy peaks(m_conversation.get(), &Conversation::handsFreePeaks);
    m_backend->sendEvent({{"type", "level"}, {"dbfs", -30.0}, {"level", 0.5}}); // nobody has called
    m_backend->sendState("LISTENING");
    QTRY_COMPARE(m_conversation->state(), State::HandsFree);
    QCOMPARE(m_conversation->level(), 0.0);
    QSignalSpy levels(m_conversation.get(), &Conversation::levelChanged);
    m_backend->sendEvent({{"type", "level"}, {"dbfs", -40.0}, {"level", 0.333}});
    QVERIFY(levels.wait(SoonMs));
    QCOMPARE(m_conversation->level(), 0.333);
    QCOMPARE(peaks.size(), 1);
    const auto tenth = peaks.first().first().value<QList<float>>();
    QCOMPARE(tenth.size(), 10);
    QVERIFY(tenth.first() > 0.01F && tenth.first() < 0.1F);
    m_backend->sendState("PROCESSING");
    QTRY_COMPARE(m_conversation->state(), State::HandsFreeSent);
    QCOMPARE(m_conversation->level(), 0.0);
}

void TestConversation::cancelEndsListening()
{
    m_conversation->setHandsFree(true);
    becomeReady();
    m_conversation->cancel();
    m_backend->sendState("LISTENING");
    QTRY_COMPARE(m_conversation->state(), State::HandsFree);
    QCOMPARE(m_backend->count("POST /listening/cancel"), 0);
    m_conversation->cancel();
    QTRY_COMPARE(m_backend->count("POST /listening/cancel"), 1);
}

void TestConversation::aCallWithoutSpeechIsTold()
{
    m_conversation->setHandsFree(true);
    becomeReady();
    m_backend->sendState("LISTENING");
    m_backend->sendState("IDLE");
    QTRY_COMPARE(m_conversation->state(), State::NothingHeard);
}

void TestConversation::pushToTalkWins()
{
    m_conversation->setHandsFree(true);
    becomeReady();
    m_backend->sendState("LISTENING");
    QTRY_COMPARE(m_conversation->state(), State::HandsFree);
    startTalking();
    QSignalSpy transcripts(m_network.get(), &NetworkManager::handsFreeTranscript);
    m_backend->sendEvent({{"type", "partial"}, {"text", "the same, heard twice"}});
    m_backend->sendState("PROCESSING");
    m_backend->sendEvent(
        {{"type", "transcript"}, {"text", "the same, heard twice"}, {"source", "microphone"}});
    m_backend->sendState("IDLE");
    QVERIFY(transcripts.wait(SoonMs));
    QCOMPARE(m_conversation->state(), State::Held);
    QVERIFY(m_audio->isCapturing());
    QCOMPARE(m_conversation->partialText(), "");
    QCOMPARE(m_history->count(), 0);
    m_conversation->release();
    m_backend->sendFinal("the same");
    m_backend->sendToStream({{"type", "end"}});
    QTRY_COMPARE(m_conversation->state(), State::Idle);
    QCOMPARE(m_history->count(), 1);
}

void TestConversation::cancelIgnoresTheRestOfAHandsFreeTurn()
{
    m_conversation->setHandsFree(true);
    becomeReady();
    m_backend->sendState("LISTENING");
    QTRY_COMPARE(m_conversation->state(), State::HandsFree);
    m_conversation->cancel();
    QCOMPARE(m_conversation->state(), State::Idle);
    QSignalSpy states(m_conversation.get(), &Conversation::stateChanged);
    QSignalSpy transcripts(m_network.get(), &NetworkManager::handsFreeTranscript);
    m_backend->sendState("PROCESSING");
    m_backend->sendEvent({{"type", "transcript"}, {"text", "not meant"}, {"source", "microphone"}});
    m_backend->sendState("IDLE");
    QVERIFY(transcripts.wait(SoonMs));
    QCOMPARE(m_history->count(), 0);
    QCOMPARE(states.size(), 0);
    m_backend->sendState("LISTENING");
    QTRY_COMPARE(m_conversation->state(), State::HandsFree);
}

void TestConversation::switchingOffEndsAHandsFreeTurn()
{
    m_conversation->setHandsFree(true);
    becomeReady();
    m_backend->sendState("LISTENING");
    QTRY_COMPARE(m_conversation->state(), State::HandsFree);
    m_conversation->setHandsFree(false);
    QCOMPARE(m_conversation->state(), State::Idle);
}

void TestConversation::anErrorOfTheBackendsMicrophoneIsShown()
{
    m_conversation->setHandsFree(true);
    becomeReady();
    m_backend->sendEvent({{"type", "error"},
                          {"stage", "capture"},
                          {"error_type", "AudioError"},
                          {"message", "the microphone is gone: plug it in again"}});
    QTRY_COMPARE(m_conversation->state(), State::Error);
    QCOMPARE(m_conversation->error(), "The microphone is gone.");
    QCOMPARE(m_conversation->wayOut(), "Plug it in again.");
    m_backend->sendState("LISTENING");
    QTRY_COMPARE(m_conversation->state(), State::HandsFree);
}

void TestConversation::tellsTheBackendWhetherToListen()
{
    m_conversation->setHandsFree(false); // and the backend listens, as it does by itself
    m_backend->answer("PUT /listening", {200, R"({"available":true,"enabled":false})", {}, false});
    becomeReady();
    QTRY_COMPARE(m_backend->count("PUT /listening"), 1);
    QCOMPARE(m_backend->requests("PUT /listening").last().body, R"({"enabled":false})");
    QTRY_VERIFY(!m_network->isListening());

    m_backend->answer("PUT /listening", {200, R"({"available":true,"enabled":true})", {}, false});
    m_conversation->setHandsFree(true);
    QTRY_COMPARE(m_backend->count("PUT /listening"), 2);
    QCOMPARE(m_backend->requests("PUT /listening").last().body, R"({"enabled":true})");
    QTRY_VERIFY(m_network->isListening());
    m_conversation->setHandsFree(false);
    QTRY_COMPARE(m_backend->count("PUT /listening"), 3);

    // It starts anew, and listens again as it does by itself.
    m_backend->stop();
    QTRY_VERIFY(!m_network->isConnected());
    m_backend->start();
    QTRY_COMPARE(m_backend->count("PUT /listening"), 4);
    QCOMPARE(m_backend->requests("PUT /listening").last().body, R"({"enabled":false})");
}

void TestConversation::doesNotSwitchTheMicrophoneUnasked()
{
    becomeReady();
    QTRY_VERIFY(m_network->canListen());
    QSignalSpy changes(m_network.get(), &NetworkManager::listeningChanged);
    m_backend->sendEvent({{"type", "listening_changed"}, {"enabled", false}});
    QVERIFY(changes.wait(SoonMs));
    QCOMPARE(m_backend->count("PUT /listening"), 0);
}

// ---- the end

void TestConversation::partsMayGoAtAnyTime()
{
    becomeReady();
    startTalking();
    m_audio.reset();
    QCOMPARE(m_conversation->state(), State::Idle);
    QVERIFY(!m_conversation->canTalk());
    m_conversation->press();
    QCOMPARE(m_conversation->state(), State::Idle);

    m_audio = std::make_unique<AudioEngine>();
    m_audio->setSourceFile(recording("set_the_temperature"));
    m_conversation->setAudio(m_audio.get());
    startTalking();
    m_history.reset();
    m_backend->sendFinal("for nobody's history");
    QTRY_COMPARE(m_conversation->finalText(), "for nobody's history");
    m_network.reset();
    QCOMPARE(m_conversation->state(), State::Idle);
    QVERIFY(!m_audio->isCapturing());

    m_network = std::make_unique<NetworkManager>();
    m_network->setBackendUrl(m_backend->url());
    m_network->setActive(true);
    m_conversation->setNetwork(m_network.get());
    QTRY_VERIFY(m_conversation->canTalk());
    startTalking();
    m_conversation.reset(); // in the middle of it
    QTRY_VERIFY(m_backend->stream() == nullptr || m_backend->audio().size() > 0);
}

QTEST_GUILESS_MAIN(TestConversation)
#include "test_conversation.moc"
