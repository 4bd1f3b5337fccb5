#include "history/commandcard.h"

#include "history/commandnames.h"
#include "history/signaltext.h"

#include <algorithm>

namespace {

constexpr int PatienceMs = 10'000;
constexpr qsizetype MostChoices = 4; // more have no room, and nobody reads them while driving
constexpr QLatin1String Undo("Undo");

/// The particular in which readings of one command differ; empty where there is none.
QString difference(const QList<Command> &readings)
{
    const auto isOther = [&](const Command &reading) { return reading.name != readings.first().name; };
    if (std::any_of(readings.begin(), readings.end(), isOther))
        return {};
    for (const Particular &particular : readings.first().particulars) {
        const auto differs = [&](const Command &reading) {
            return reading.text(particular.name) != readings.first().text(particular.name);
        };
        if (std::any_of(readings.begin(), readings.end(), differs))
            return particular.name;
    }
    return {};
}

/// What tells readings apart, a text for each; empty where one has none.
QStringList choicesOf(const QList<Command> &readings)
{
    const QString particular = difference(readings);
    QStringList choices;
    for (const Command &reading : readings.first(std::min(readings.size(), MostChoices))) {
        const QString value = reading.text(particular);
        const QString place = CommandNames::placeName(value);
        const QString choice = !place.isEmpty()  ? place
                               : value.isEmpty() ? CommandNames::title(reading.name)
                                                 : value;
        if (choice.isEmpty() || choices.contains(choice))
            return {};
        choices.append(choice);
    }
    return choices;
}

bool isKnown(const HeldSignal &held)
{
    return held.previous.isValid();
}

bool isChanged(const HeldSignal &held)
{
    return held.previous.isValid() && held.previous != held.value;
}

} // namespace

CommandCard::CommandCard(QObject *parent)
    : QObject(parent)
{
    m_patience.setSingleShot(true);
    m_patience.setInterval(PatienceMs);
    connect(&m_patience, &QTimer::timeout, this, [this] { setState(State::Dropped); });
}

QString CommandCard::sentence() const
{
    const bool isSaidByValue = m_state == State::Done || m_state == State::TakenBack;
    const bool isSaid = isSaidByValue ? !m_value.isEmpty() : !m_choices.isEmpty();
    return isSaid ? QString() : m_sentence;
}

bool CommandCard::canAnswer() const
{
    return m_state == State::Asking && !wordsForAnswer(true).isEmpty()
           && (!m_isAskedWhich || !m_choices.isEmpty());
}

// ---- what the backend tells

void CommandCard::understand(const Understood &understood)
{
    const bool isCommand = !CommandNames::title(understood.command.name).isEmpty();
    const bool isQuestion = !understood.question.isEmpty();
    clear();
    if (!isCommand && !isQuestion)
        return;
    m_utterance = understood.utterance;
    m_language = understood.language;
    if (isQuestion) {
        ask(understood);
        return;
    }
    name(understood.command);
    setState(State::Doing);
}

void CommandCard::act(const Acted &acted)
{
    if (m_state == State::None || m_state == State::Asking || acted.utterance != m_utterance)
        return;
    if (acted.outcome != QLatin1String("done")) {
        const bool isElsewhere = acted.cause == QLatin1String("elsewhere");
        const bool isTimedOut = acted.outcome == QLatin1String("timed_out");
        setState(isElsewhere ? State::Told : isTimedOut ? State::TimedOut : State::Refused);
        return;
    }
    m_value = SignalText::now(acted.held);
    m_before = SignalText::before(acted.held);
    const bool isUndo = acted.command == Undo;
    if (isUndo)
        nameUndone(acted);
    m_canUndo = !isUndo && !wordsForUndo().isEmpty()
                && std::all_of(acted.held.begin(), acted.held.end(), isKnown)
                && std::any_of(acted.held.begin(), acted.held.end(), isChanged);
    if (!acted.held.isEmpty() && !isUndo) {
        m_lastPath = acted.held.first().path;
        m_lastArea = m_area;
        m_lastTitle = m_title;
        m_lastPlace = m_place;
    }
    setState(isUndo ? State::TakenBack : State::Done);
}

void CommandCard::answer(const QString &text, const QString &utterance)
{
    if (m_state == State::None || utterance != m_utterance)
        return;
    m_sentence = text;
    // Nothing came of it but this.
    setState(m_state == State::Doing ? State::Told : m_state);
}

void CommandCard::await()
{
    m_patience.stop();
    m_canUndo = false;
    if (m_state == State::Asking)
        m_value.clear();
    m_choices.clear();
    setState(m_state == State::Asking ? State::Doing : m_state);
}

void CommandCard::clear()
{
    m_patience.stop();
    m_canUndo = false;
    m_choices.clear();
    for (QString *text : {&m_utterance, &m_area, &m_title, &m_place, &m_value, &m_before, &m_sentence})
        text->clear();
    if (m_state != State::None)
        setState(State::None);
}

// ---- what the driver answers

QString CommandCard::wordsForUndo() const
{
    return words("undo", "rückgängig");
}

QString CommandCard::wordsForAnswer(bool isYes) const
{
    return isYes ? words("yes", "ja") : words("no", "nein");
}

QString CommandCard::wordsForChoice(int index) const
{
    const QByteArray number = QByteArray::number(index + 1);
    return words(number.constData(), number.constData());
}

QString CommandCard::words(const char *english, const char *german) const
{
    if (m_language == QLatin1String("en"))
        return QString::fromUtf8(english);
    return m_language == QLatin1String("de") ? QString::fromUtf8(german) : QString();
}

// ---- inside

void CommandCard::ask(const Understood &understood)
{
    m_isAskedWhich = understood.question == QLatin1String("which");
    if (understood.question == QLatin1String("meant")) {
        m_area = QStringLiteral("question");
        m_title = tr("Not understood");
    } else if (!understood.readings.isEmpty()) {
        name(understood.readings.first());
        if (m_isAskedWhich) {
            m_place.clear();
            m_choices = choicesOf(understood.readings);
            if (!m_choices.isEmpty())
                m_value = tr("Which one?");
        }
    }
    m_patience.start();
    setState(State::Asking);
}

void CommandCard::name(const Command &command)
{
    m_area = CommandNames::area(command.name);
    m_title = CommandNames::title(command.name);
    m_place = CommandNames::place(command);
}

/// What is undone is called as it was when it was done, if that was here.
void CommandCard::nameUndone(const Acted &acted)
{
    if (acted.held.isEmpty() || acted.held.first().path != m_lastPath)
        return;
    m_area = m_lastArea;
    m_title = m_lastTitle;
    m_place = m_lastPlace;
}

void CommandCard::setState(State state)
{
    m_state = state;
    emit changed();
}
