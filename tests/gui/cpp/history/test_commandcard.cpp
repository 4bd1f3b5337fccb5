#include "history/commandcard.h"
#include "soon.h"

#include <QSignalSpy>
#include <QTest>

using State = CommandCard::State;

namespace {

const QString Utterance = QStringLiteral("f3a9-1");
const Command SetTemperature{"SetTemperature", {{"temperature", 21}}};
const Command OpenWindow{"OpenWindow", {{"zone", "rear_left"}}};

Command call(const QString &contact)
{
    return {"CallContact", {{"contact", contact}}};
}

Understood said(const Command &command, const QString &language = QStringLiteral("en"))
{
    return {Utterance, language, command, {}, {}};
}

Understood asked(const QString &question, const QList<Command> &readings,
                 const QString &language = QStringLiteral("en"))
{
    return {Utterance, language, {}, question, readings};
}

Acted temperature(const QString &command, const QVariant &value, const QVariant &previous)
{
    return {Utterance, command, "done", {}, {{"A.Temperature", value, previous, "celsius"}}};
}

Acted refused(const QString &cause)
{
    return {Utterance, "OpenTrunk", "refused", cause, {}};
}

} // namespace

class TestCommandCard : public QObject
{
    Q_OBJECT

private slots:
    void init() { m_card = std::make_unique<CommandCard>(); }

    void aCommandIsDoneAndThenDone();
    void whatIsNoCommandHasNoCard();
    void aCommandOfSomebodyElsesGrammarHasNoCard();
    void whatIsOfAnotherUtteranceIsLeftOut();
    void theSentenceIsShownWhereNoValueSaysIt();
    void whatChangedNothingCannotBeUndone_data();
    void whatChangedNothingCannotBeUndone();
    void undoneIsCalledAsItWasWhenItWasDone();
    void undoOfSomethingElseIsCalledUndo();
    void refusalsAndTimeOuts();
    void anAnswerAloneIsTold();

    void whichOfSeveral();
    void whichWithoutWordsCannotBeTapped();
    void atMostFourChoices();
    void yesOrNo();
    void notUnderstood();
    void anotherLanguageIsNotTapped();
    void oneTapIsEnough();
    void aQuestionIsForgotten();

private:
    std::unique_ptr<CommandCard> m_card;
};

void TestCommandCard::aCommandIsDoneAndThenDone()
{
    QSignalSpy changes(m_card.get(), &CommandCard::changed);
    QCOMPARE(m_card->state(), State::None);
    m_card->understand(said(SetTemperature));
    QCOMPARE(m_card->state(), State::Doing);
    QCOMPARE(m_card->title(), "Temperature");
    QCOMPARE(m_card->area(), "climate");
    QCOMPARE(m_card->value(), "");
    QVERIFY(!m_card->canUndo());
    m_card->act(temperature("SetTemperature", 21, 19));
    QCOMPARE(m_card->state(), State::Done);
    QCOMPARE(m_card->value(), "21 °C");
    QCOMPARE(m_card->before(), "19 °C");
    QVERIFY(m_card->canUndo());
    QCOMPARE(changes.size(), 2);
    m_card->clear();
    QCOMPARE(m_card->state(), State::None);
    QCOMPARE(m_card->title(), "");
    QVERIFY(!m_card->canUndo());
}

void TestCommandCard::whatIsNoCommandHasNoCard()
{
    m_card->understand(said(SetTemperature));
    m_card->understand(said({}));
    QCOMPARE(m_card->state(), State::None);
    m_card->understand(said({"Refuse", {}}));
    QCOMPARE(m_card->state(), State::None);
}

void TestCommandCard::aCommandOfSomebodyElsesGrammarHasNoCard()
{
    m_card->understand(said({"OpenHatch", {}}));
    QCOMPARE(m_card->state(), State::None);
}

void TestCommandCard::whatIsOfAnotherUtteranceIsLeftOut()
{
    m_card->understand(said(SetTemperature));
    Acted other = temperature("SetTemperature", 21, 19);
    other.utterance = "f3a9-2";
    m_card->act(other);
    m_card->answer("Done.", "f3a9-2");
    QCOMPARE(m_card->state(), State::Doing);
    QCOMPARE(m_card->sentence(), "");
}

void TestCommandCard::theSentenceIsShownWhereNoValueSaysIt()
{
    m_card->understand(said(SetTemperature));
    m_card->act(temperature("SetTemperature", 21, 19));
    m_card->answer("The temperature is 21 degrees.", Utterance);
    QCOMPARE(m_card->state(), State::Done);
    QCOMPARE(m_card->sentence(), "");
    m_card->understand(said({"NextTrack", {}}));
    m_card->act({Utterance, "NextTrack", "done", {}, {{"A.Action", "SKIP_FORWARD", {}, {}}}});
    m_card->answer("The next track.", Utterance);
    QCOMPARE(m_card->state(), State::Done);
    QCOMPARE(m_card->sentence(), "The next track.");
}

void TestCommandCard::whatChangedNothingCannotBeUndone_data()
{
    QTest::addColumn<QVariant>("previous");
    QTest::newRow("not known") << QVariant();
    QTest::newRow("the same") << QVariant(21.0);
}

void TestCommandCard::whatChangedNothingCannotBeUndone()
{
    QFETCH(QVariant, previous);
    m_card->understand(said(SetTemperature));
    m_card->act(temperature("SetTemperature", 21.0, previous));
    QCOMPARE(m_card->before(), "");
    QVERIFY(!m_card->canUndo());
}

void TestCommandCard::undoneIsCalledAsItWasWhenItWasDone()
{
    m_card->understand(said(OpenWindow));
    m_card->act({Utterance, "OpenWindow", "done", {}, {{"A.Window.Position", 30, 0, "percent"}}});
    QCOMPARE(m_card->place(), "rear left");
    m_card->understand(said({"Undo", {}}));
    QCOMPARE(m_card->state(), State::Doing);
    m_card->act({Utterance, "Undo", "done", {}, {{"A.Window.Position", 0, 30, "percent"}}});
    QCOMPARE(m_card->state(), State::TakenBack);
    QCOMPARE(m_card->title(), "Window");
    QCOMPARE(m_card->place(), "rear left");
    QCOMPARE(m_card->area(), "window");
    QCOMPARE(m_card->value(), "Closed");
    QCOMPARE(m_card->before(), "30 %");
    QVERIFY(!m_card->canUndo());
}

void TestCommandCard::undoOfSomethingElseIsCalledUndo()
{
    m_card->understand(said(OpenWindow));
    m_card->act({Utterance, "OpenWindow", "done", {}, {{"A.Window.Position", 30, 0, "percent"}}});
    m_card->understand(said({"Undo", {}}));
    m_card->act(temperature("Undo", 19, 21));
    QCOMPARE(m_card->title(), "Undo");
    QCOMPARE(m_card->area(), "undo");
    QCOMPARE(m_card->value(), "19 °C");
}

void TestCommandCard::refusalsAndTimeOuts()
{
    m_card->understand(said({"OpenTrunk", {}}));
    m_card->act(refused("moving"));
    m_card->answer("Not while the car moves.", Utterance);
    QCOMPARE(m_card->state(), State::Refused);
    QCOMPARE(m_card->sentence(), "Not while the car moves.");
    QVERIFY(!m_card->canUndo());

    m_card->understand(said({"OpenTrunk", {}}));
    m_card->act({Utterance, "OpenTrunk", "timed_out", {}, {}});
    QCOMPARE(m_card->state(), State::TimedOut);

    m_card->understand(said(call("Anna")));
    m_card->act(refused("elsewhere"));
    QCOMPARE(m_card->state(), State::Told);
}

void TestCommandCard::anAnswerAloneIsTold()
{
    m_card->understand(said({"AskTime", {}}));
    m_card->answer("It is noon.", Utterance);
    QCOMPARE(m_card->state(), State::Told);
    QCOMPARE(m_card->sentence(), "It is noon.");
}

void TestCommandCard::whichOfSeveral()
{
    m_card->understand(asked("which", {call("Anna Smith"), call("Anna Jones")}));
    m_card->answer("Which one: Anna Smith or Anna Jones?", Utterance);
    QCOMPARE(m_card->state(), State::Asking);
    QCOMPARE(m_card->title(), "Call");
    QCOMPARE(m_card->choices(), QStringList({"Anna Smith", "Anna Jones"}));
    QCOMPARE(m_card->value(), "Which one?");
    QCOMPARE(m_card->sentence(), ""); // as it says the choices once more
    QVERIFY(m_card->canAnswer());
    QCOMPARE(m_card->wordsForChoice(1), "2");
    m_card->understand(asked("which", {OpenWindow, {"OpenWindow", {{"zone", "rear_right"}}}}));
    QCOMPARE(m_card->choices(), QStringList({"rear left", "rear right"}));
    QCOMPARE(m_card->place(), "");
    m_card->understand(asked("which", {OpenWindow, {"OpenSunroof", {}}}));
    QCOMPARE(m_card->choices(), QStringList({"Window", "Sunroof"}));
}

void TestCommandCard::whichWithoutWordsCannotBeTapped()
{
    m_card->understand(asked("which", {{"OpenHatch", {}}, {"OpenHood", {}}}));
    QCOMPARE(m_card->state(), State::Asking);
    QCOMPARE(m_card->choices(), QStringList());
    QVERIFY(!m_card->canAnswer());
    QCOMPARE(m_card->value(), "");
    m_card->answer("Which one: the hatch or the hood?", Utterance);
    QCOMPARE(m_card->sentence(), "Which one: the hatch or the hood?");
}

void TestCommandCard::atMostFourChoices()
{
    m_card->understand(asked("which", {call("A"), call("B"), call("C"), call("D"), call("E")}));
    QCOMPARE(m_card->choices(), QStringList({"A", "B", "C", "D"}));
}

void TestCommandCard::yesOrNo()
{
    m_card->understand(asked("sure", {OpenWindow}));
    QCOMPARE(m_card->state(), State::Asking);
    QCOMPARE(m_card->title(), "Window");
    QCOMPARE(m_card->place(), "rear left");
    QVERIFY(m_card->canAnswer());
    QCOMPARE(m_card->wordsForAnswer(true), "yes");
    QCOMPARE(m_card->wordsForAnswer(false), "no");
    m_card->understand(asked("sure", {OpenWindow}, "de"));
    QCOMPARE(m_card->wordsForAnswer(true), "ja");
    QCOMPARE(m_card->wordsForAnswer(false), "nein");
    QCOMPARE(m_card->wordsForUndo(), "rückgängig");
}

void TestCommandCard::notUnderstood()
{
    m_card->understand(asked("meant", {}));
    m_card->answer("Did you mean: open the window?", Utterance);
    QCOMPARE(m_card->title(), "Not understood");
    QCOMPARE(m_card->area(), "question");
    QCOMPARE(m_card->sentence(), "Did you mean: open the window?");
    QVERIFY(m_card->canAnswer());
}

void TestCommandCard::anotherLanguageIsNotTapped()
{
    m_card->understand(asked("sure", {OpenWindow}, "fr"));
    QCOMPARE(m_card->state(), State::Asking);
    QVERIFY(!m_card->canAnswer());
    m_card->understand(said(SetTemperature, "fr"));
    m_card->act(temperature("SetTemperature", 21, 19));
    QVERIFY(!m_card->canUndo());
}

void TestCommandCard::oneTapIsEnough()
{
    m_card->understand(asked("sure", {OpenWindow}));
    m_card->await();
    QCOMPARE(m_card->state(), State::Doing);
    QVERIFY(!m_card->canAnswer());
    m_card->understand(said(SetTemperature));
    m_card->act(temperature("SetTemperature", 21, 19));
    m_card->await();
    QCOMPARE(m_card->state(), State::Done);
    QVERIFY(!m_card->canUndo());
}

void TestCommandCard::aQuestionIsForgotten()
{
    m_card->setPatience(10);
    m_card->understand(asked("which", {call("Anna Smith"), call("Anna Jones")}));
    QTRY_COMPARE(m_card->state(), State::Dropped);
    QVERIFY(!m_card->canAnswer());
    QCOMPARE(m_card->title(), "Call");
}

QTEST_GUILESS_MAIN(TestCommandCard)

#include "test_commandcard.moc"
