#include "screen/conversation.h"

#include "audio/audioformat.h"

#include <QDateTime>
#include <QUuid>

#include <algorithm>
#include <cmath>
#include <utility>

namespace {

constexpr qint64 MereTouchMs = 300;
constexpr int ErrorTimeoutMs = 8000;
constexpr int SpeechTimeoutMs = 8000;
constexpr int SilenceTimeoutMs = 6000;
constexpr int AnswerTimeoutMs = 20'000;
/// An utterance lasts 30 s at most and gives partial results all the while.
constexpr int HandsFreeTimeoutMs = 40'000;
/// Peak of speech over the root of its mean square, roughly: 10 dB.
constexpr double SpeechCrest = 3;
/// The backend tells a level for each tenth of a second.
constexpr int PeaksPerLevel = AudioFormat::PeaksPerSecond / 10;

} // namespace

Conversation::Conversation(QObject *parent)
    : QObject(parent)
    , m_errorTimeout(ErrorTimeoutMs)
    , m_speechTimeout(SpeechTimeoutMs)
    , m_silenceTimeout(SilenceTimeoutMs)
{
    m_answerTimer.setSingleShot(true);
    m_answerTimer.setInterval(AnswerTimeoutMs);
    connect(&m_answerTimer, &QTimer::timeout, this, &Conversation::forgetCommand);
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, [this] { handle(Event::Timeout); });
}

Conversation::~Conversation() = default;

// ---- properties

void Conversation::setAudio(AudioEngine *audio)
{
    if (audio == m_audio)
        return;
    cancel();
    if (m_audio != nullptr)
        m_audio->disconnect(this);
    m_audio = audio;
    if (audio != nullptr) {
        connect(audio, &AudioEngine::audioDataReady, this, [this](const QByteArray &chunk) {
            if ((m_state == State::Held || m_state == State::Tapped) && m_network != nullptr)
                m_network->sendAudioChunk(chunk);
        });
        connect(audio, &AudioEngine::errorChanged, this, &Conversation::onAudioError);
        connect(audio, &AudioEngine::sourceFileFinished, this, [this] { handle(Event::SpeechEnd); });
        connect(audio, &AudioEngine::levelChanged, this, &Conversation::levelChanged);
        connect(audio, &AudioEngine::inputDevicesChanged, this, &Conversation::updateCanTalk);
        connect(audio, &AudioEngine::sourceFileChanged, this, &Conversation::updateCanTalk);
        connect(audio, &QObject::destroyed, this, &Conversation::onPartDestroyed);
    }
    emit audioChanged();
    updateCanTalk();
}

void Conversation::setNetwork(SpeechBackend *network)
{
    if (network == m_network)
        return;
    cancel();
    if (m_network != nullptr)
        m_network->disconnect(this);
    m_network = network;
    if (network != nullptr) {
        connect(network, &SpeechBackend::speechStarted, this, &Conversation::onSpeech);
        connect(network, &SpeechBackend::partialTranscription, this, &Conversation::onPartial);
        connect(network, &SpeechBackend::finalTranscription, this, &Conversation::onFinal);
        connect(network, &SpeechBackend::understood, this, &Conversation::onUnderstood);
        connect(network, &SpeechBackend::acted, this, &Conversation::onActed);
        connect(network, &SpeechBackend::answered, this, &Conversation::onAnswer);
        connect(network, &SpeechBackend::streamEnded, this, &Conversation::onStreamEnded);
        connect(network, &SpeechBackend::streamFailed, this,
                [this](const QString &error, const QString &wayOut) { fail(Event::Failure, error, wayOut); });
        connect(network, &SpeechBackend::errorOccurred, this, &Conversation::onNetworkError);
        connect(network, &SpeechBackend::backendStateChanged, this, &Conversation::onBackendState);
        connect(network, &SpeechBackend::listeningChanged, this, &Conversation::tellWhetherToListen);
        connect(network, &SpeechBackend::wakeWordDetected, this, &Conversation::onWakeWord);
        connect(network, &SpeechBackend::pipelineStateChanged, this, &Conversation::onPipelineState);
        connect(network, &SpeechBackend::handsFreePartial, this, &Conversation::onHandsFreePartial);
        connect(network, &SpeechBackend::handsFreeTranscript, this, &Conversation::onHandsFreeTranscript);
        connect(network, &SpeechBackend::handsFreeAnswer, this, &Conversation::onAnswer);
        connect(network, &SpeechBackend::handsFreeLevel, this, &Conversation::onHandsFreeLevel);
        connect(network, &SpeechBackend::handsFreeFailed, this, &Conversation::onHandsFreeFailed);
        connect(network, &QObject::destroyed, this, &Conversation::onPartDestroyed);
    }
    emit networkChanged();
    onBackendState();
}

void Conversation::setHistory(TranscriptionModel *history)
{
    if (history == m_history)
        return;
    m_history = history;
    emit historyChanged();
}

void Conversation::setLanguage(const QString &language)
{
    if (language == m_language)
        return;
    m_language = language;
    emit languageChanged();
}

void Conversation::setHandsFree(bool handsFree)
{
    const bool isOther = handsFree != isHandsFree();
    if (handsFree != m_handsFree)
        m_mustTellListening = true;
    m_handsFree = handsFree;
    if (isOther) {
        if (!handsFree)
            handle(Event::HandsFreeStop);
        emit handsFreeChanged();
    }
    tellWhetherToListen();
}

qreal Conversation::level() const
{
    if (m_state == State::HandsFree)
        return m_handsFreeLevel;
    return m_audio != nullptr ? m_audio->level() : 0;
}

void Conversation::setErrorTimeout(int milliseconds)
{
    if (std::exchange(m_errorTimeout, milliseconds) != milliseconds)
        emit errorTimeoutChanged();
}

void Conversation::setSpeechTimeout(int milliseconds)
{
    if (std::exchange(m_speechTimeout, milliseconds) != milliseconds)
        emit speechTimeoutChanged();
}

void Conversation::setSilenceTimeout(int milliseconds)
{
    if (std::exchange(m_silenceTimeout, milliseconds) != milliseconds)
        emit silenceTimeoutChanged();
}

void Conversation::setAnswerTimeout(int milliseconds)
{
    if (milliseconds == answerTimeout())
        return;
    m_answerTimer.setInterval(milliseconds);
    emit answerTimeoutChanged();
}

// ---- the button

void Conversation::press()
{
    if (!m_canTalk)
        return;
    hush();
    handle(Event::Press);
}

void Conversation::release()
{
    handle(Event::Release);
}

void Conversation::toggle()
{
    if (!m_canTalk && !isPushToTalk())
        return;
    hush();
    handle(Event::Tap);
}

void Conversation::cancel()
{
    if (isTurn(m_state) && !isPushToTalk())
        m_ignoresHandsFree = true;
    if (isTurn(m_state) && isHandsFree() && m_network != nullptr)
        m_network->cancelListening(); // it may have begun before the button was touched
    handle(Event::Cancel);
}

void Conversation::hush()
{
    if (!m_answer.isEmpty() && m_network != nullptr)
        m_network->stopAnswer();
}

void Conversation::dismissError()
{
    handle(Event::Dismissal);
}

// ---- the card

void Conversation::undo()
{
    if (m_card.canUndo())
        say(m_card.wordsForUndo());
}

void Conversation::confirm(bool isYes)
{
    if (m_card.state() == CommandCard::State::Asking)
        say(m_card.wordsForAnswer(isYes));
}

void Conversation::choose(int index)
{
    if (m_card.state() == CommandCard::State::Asking && index < m_card.choices().size())
        say(m_card.wordsForChoice(index));
}

/// Have the backend hear words in the same conversation.
void Conversation::say(const QString &words)
{
    if (words.isEmpty() || m_network == nullptr || !m_network->isConnected() || m_isAwaitingFinal)
        return;
    const QString utterance = QUuid::createUuid().toString(QUuid::WithoutBraces);
    m_utterances.append(utterance);
    m_card.await();
    hush(); // it is answered
    if (isHandsFree())
        m_network->cancelListening();
    m_network->say(words, m_card.language(), utterance, m_microphone);
}

void Conversation::onUnderstood(const Understood &understood)
{
    if (!m_utterances.contains(understood.utterance))
        return;
    m_card.understand(understood);
    m_answerTimer.start();
}

void Conversation::onActed(const Acted &acted)
{
    m_card.act(acted);
}

/// What came of the last command is over. Text that was none stays.
void Conversation::forgetCommand()
{
    if (m_card.state() != CommandCard::State::None)
        setFinalText({});
    dropAnswer();
}

/// Nothing is said to the text any more, and nothing that comes later is.
void Conversation::dropAnswer()
{
    m_answerTimer.stop();
    m_utterances.clear();
    m_card.clear();
    setAnswer({}, {});
}

// ---- from state to state

/// Go where an event leads, and do what belongs to that.
void Conversation::handle(Event event)
{
    const State previous = m_state;
    const State to = next(m_state, event);
    if (to == m_state)
        return;
    if (isTurn(m_state) && !isTurn(to) && !m_laterError.isEmpty()) {
        showError(next(State::Idle, Event::RequestFailure), QString(m_laterError), QString(m_laterWayOut));
        return;
    }
    if (to == State::Sent) {
        completeRecording();
        if (m_state != previous)
            return; // it failed
    }
    enter(to);
    if (m_state == to && isPushToTalk(to) && !isPushToTalk(previous)) // otherwise a receiver has cancelled
        beginRecording();
}

/// Be in another state, and tell of it.
void Conversation::enter(State state)
{
    const State previous = std::exchange(m_state, state);
    startTimer();
    if (isPushToTalk(previous) && !isPushToTalk(state))
        giveBack();
    const bool begins = state == State::HandsFree || (isPushToTalk(state) && !isPushToTalk(previous));
    if (begins) {
        m_finals.clear();
        if (m_earcon != QLatin1String("question")) // which is what is being answered
            forgetCommand();
    }
    if (begins || !isTurn(state))
        setPartialText(QString());
    if (!isError(state)) {
        m_error.clear();
        m_wayOut.clear();
    }
    updateAwaitingFinal();
    m_handsFreeLevel = 0;
    emit stateChanged();
    emit levelChanged();
}

void Conversation::beginRecording()
{
    m_isMereTouch = false;
    m_sincePress.start();
    m_network->openStream(m_language);
    m_audio->captureAudio();
    onAudioError();
}

void Conversation::completeRecording()
{
    const State previous = m_state;
    m_isMereTouch = m_sincePress.elapsed() < MereTouchMs;
    m_audio->stopCapture(); // its last chunk still comes through
    if (m_state == previous)
        m_network->endStream();
}

/// Give back what push-to-talk used.
void Conversation::giveBack()
{
    if (m_audio != nullptr)
        m_audio->stopCapture();
    if (m_network != nullptr)
        m_network->dropStream();
}

/// Each state has one time-out, or none.
void Conversation::startTimer()
{
    switch (m_state) {
    case State::Idle:
    case State::Held:
    case State::Sent:
        m_timer.stop();
        break;
    case State::NothingHeard:
        m_timer.start(m_silenceTimeout);
        break;
    case State::Tapped:
        m_timer.start(m_speechTimeout);
        break;
    case State::HandsFree:
    case State::HandsFreeSent:
        m_timer.start(HandsFreeTimeoutMs);
        break;
    case State::Error:
    case State::ErrorUntilReady:
        m_timer.start(m_errorTimeout);
        break;
    }
}

/// Show an error, if the event makes one in this state.
void Conversation::fail(Event event, const QString &error, const QString &wayOut)
{
    const State to = next(m_state, event);
    if (isError(to))
        showError(to, error, wayOut);
}

void Conversation::showError(State to, const QString &error, const QString &wayOut)
{
    if (m_network != nullptr && !m_network->isConnected())
        to = next(to, Event::BackendLoss);
    m_laterError.clear();
    m_laterWayOut.clear();
    dropAnswer(); // it is not the error's
    const bool isNew = error != m_error || wayOut != m_wayOut;
    m_error = error;
    m_wayOut = wayOut;
    if (to != m_state) {
        enter(to);
        return;
    }
    startTimer();
    if (isNew)
        emit stateChanged();
}

void Conversation::onPartDestroyed()
{
    cancel();
    updateCanTalk();
}

// ---- push-to-talk

void Conversation::onAudioError()
{
    if ((m_state == State::Held || m_state == State::Tapped) && !m_audio->error().isEmpty()) {
        fail(Event::Failure, m_audio->error(),
             tr("Check the microphone, or choose another one in the settings."));
    }
}

void Conversation::onSpeech()
{
    if (m_state == State::Tapped)
        m_timer.stop(); // somebody speaks
}

void Conversation::onPartial(const QString &text)
{
    onSpeech();
    if (isPushToTalk())
        setPartialText(text);
}

void Conversation::onFinal(const QString &text, const QString &language, double latency,
                           const QString &utterance)
{
    if (!isPushToTalk())
        return;
    setPartialText(QString());
    m_microphone = SpeechBackend::Microphone::Screen;
    addFinal(text, language, latency, QDateTime::currentDateTime(), utterance);
    handle(Event::SpeechEnd);
}

void Conversation::onStreamEnded()
{
    handle(m_finals.isEmpty() && !m_isMereTouch ? Event::StreamSilence : Event::StreamEnd);
}

/// Keep a final of this turn, if it has text.
void Conversation::addFinal(const QString &text, const QString &language, double latency,
                            const QDateTime &time, const QString &utterance)
{
    const QString said = text.trimmed();
    if (said.isEmpty())
        return;
    if (m_finals.isEmpty())
        dropAnswer();
    m_finals.append(said);
    m_utterances.append(utterance);
    if (m_history != nullptr)
        m_history->addTranscription(said, time, language, latency, utterance);
    setFinalText(m_finals.join(QLatin1Char(' ')));
    updateAwaitingFinal();
}

/// Keep an answer with what it answers, which the next turn may have followed already.
void Conversation::onAnswer(const QString &text, const QString &earcon, const QString &utterance)
{
    if (m_history != nullptr)
        m_history->addAnswer(utterance, text, earcon);
    if (utterance.isEmpty() || !m_utterances.contains(utterance))
        return;
    m_card.answer(text.trimmed(), utterance);
    setAnswer(text.trimmed(), earcon);
    m_answerTimer.start();
}

// ---- the backend

void Conversation::onNetworkError(const QString &error, const QString &wayOut)
{
    if (isTurn(m_state)) {
        m_laterError = error;
        m_laterWayOut = wayOut;
    } else {
        fail(Event::RequestFailure, error, wayOut);
    }
}

void Conversation::onBackendState()
{
    updateCanTalk();
    if (m_network == nullptr)
        return;
    switch (m_network->backendState()) {
    case SpeechBackend::BackendState::Ready:
        handle(Event::BackendReturn);
        m_mustTellListening = m_handsFree.has_value();
        tellWhetherToListen();
        break;
    case SpeechBackend::BackendState::Starting:
        break; // it loads a model: what is being said waits for that
    case SpeechBackend::BackendState::Lost:
    case SpeechBackend::BackendState::Failed:
        dropAnswer(); // nothing can be taken back or answered
        if (isTurn(m_state)) {
            fail(Event::BackendLoss, m_network->backendMessage(), tr("You can go on as soon as it is back."));
        } else {
            handle(Event::BackendLoss);
        }
        break;
    }
}

// ---- hands-free

void Conversation::onWakeWord()
{
    m_ignoresHandsFree = false;
    followSpeech();
    if (isHandsFree())
        emit called();
}

void Conversation::onPipelineState(const QString &state)
{
    if (state == QLatin1String("LISTENING")) {
        followSpeech();
    } else if (state == QLatin1String("PROCESSING")) {
        handle(Event::HandsFreeSpeechEnd);
    } else if (state != QLatin1String("EMIT")) {
        m_ignoresHandsFree = false;
        handle(state == QLatin1String("IDLE") ? Event::HandsFreeIdle : Event::HandsFreeStop);
    }
}

void Conversation::onHandsFreePartial(const QString &text)
{
    if (!isTurn(m_state) || isPushToTalk())
        return;
    startTimer();
    setPartialText(text);
}

void Conversation::onHandsFreeTranscript(const QString &text, const QString &language, double latency,
                                         const QDateTime &time, const QString &utterance)
{
    if (!isHandsFree() || m_ignoresHandsFree || isPushToTalk())
        return;
    m_finals.clear();
    m_microphone = SpeechBackend::Microphone::Backend;
    addFinal(text, language, latency, time, utterance);
    handle(m_finals.isEmpty() ? Event::HandsFreeSilence : Event::HandsFreeFinal);
}

void Conversation::onHandsFreeLevel(double dbfs, qreal level)
{
    if (m_state != State::HandsFree)
        return;
    m_handsFreeLevel = level;
    emit levelChanged();
    const double peak = std::min(1.0, SpeechCrest * std::pow(10, dbfs / 20));
    emit handsFreePeaks(QList<float>(PeaksPerLevel, float(peak)));
}

void Conversation::onHandsFreeFailed(const QString &error, const QString &wayOut)
{
    if (isHandsFree())
        fail(Event::HandsFreeFailure, error, wayOut);
}

void Conversation::followSpeech()
{
    if (!isHandsFree() || m_ignoresHandsFree)
        return;
    if (m_state == State::HandsFree)
        startTimer();
    else
        handle(Event::HandsFreeSpeech);
}

void Conversation::tellWhetherToListen()
{
    if (!m_mustTellListening || m_network == nullptr || !m_network->isConnected() || !m_network->canListen())
        return;
    m_mustTellListening = false;
    if (m_network->isListening() != isHandsFree())
        m_network->setListening(isHandsFree());
}

// ---- what the screen sees

void Conversation::setPartialText(const QString &text)
{
    if (text == m_partialText)
        return;
    m_partialText = text;
    emit partialTextChanged();
}

void Conversation::setFinalText(const QString &text)
{
    if (text == m_finalText)
        return;
    m_finalText = text;
    emit finalTextChanged();
}

void Conversation::setAnswer(const QString &text, const QString &earcon)
{
    if (text == m_answer && earcon == m_earcon)
        return;
    m_answer = text;
    m_earcon = earcon;
    emit answerChanged();
}

void Conversation::updateAwaitingFinal()
{
    const bool isAwaitingFinal = isTurn(m_state) && m_finals.isEmpty();
    if (isAwaitingFinal == m_isAwaitingFinal)
        return;
    m_isAwaitingFinal = isAwaitingFinal;
    emit awaitingFinalChanged();
}

void Conversation::updateCanTalk()
{
    const bool canTalk =
        m_audio != nullptr && m_audio->isAvailable() && m_network != nullptr && m_network->isConnected();
    if (canTalk == m_canTalk)
        return;
    m_canTalk = canTalk;
    emit canTalkChanged();
}
