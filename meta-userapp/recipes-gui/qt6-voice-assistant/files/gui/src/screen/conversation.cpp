#include "screen/conversation.h"

#include <QDateTime>

#include <utility>

using namespace std::chrono_literals;

namespace {

constexpr qint64 MereTouchMs = 300;
constexpr auto ErrorTimeout = 8s;
constexpr auto SpeechTimeout = 8s;
/// An utterance lasts 30 s at most and gives partial results all the while.
constexpr auto HandsFreeTimeout = 40s;

} // namespace

Conversation::Conversation(QObject *parent)
    : QObject(parent)
{
    m_errorTimer.setSingleShot(true);
    m_errorTimer.setInterval(ErrorTimeout);
    connect(&m_errorTimer, &QTimer::timeout, this, &Conversation::dismissError);
    m_speechTimer.setSingleShot(true);
    m_speechTimer.setInterval(SpeechTimeout);
    connect(&m_speechTimer, &QTimer::timeout, this, &Conversation::endSpeech);
    m_handsFreeWatchdog.setSingleShot(true);
    m_handsFreeWatchdog.setInterval(HandsFreeTimeout);
    connect(&m_handsFreeWatchdog, &QTimer::timeout, this, [this] { endTurn(true); });
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
            if (isPushToTalk() && m_state == State::Listening && m_network != nullptr)
                m_network->sendAudioChunk(chunk);
        });
        connect(audio, &AudioEngine::errorChanged, this, &Conversation::onAudioError);
        connect(audio, &AudioEngine::sourceFileFinished, this, &Conversation::onSourceFileFinished);
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
        connect(network, &SpeechBackend::speechStarted, this, [this] { m_speechTimer.stop(); });
        connect(network, &SpeechBackend::partialTranscription, this, &Conversation::onPartial);
        connect(network, &SpeechBackend::finalTranscription, this, &Conversation::onFinal);
        connect(network, &SpeechBackend::streamEnded, this, &Conversation::onStreamEnded);
        connect(network, &SpeechBackend::streamFailed, this,
                [this](const QString &error, const QString &wayOut) {
                    if (isPushToTalk())
                        fail(error, wayOut);
                });
        connect(network, &SpeechBackend::errorOccurred, this, &Conversation::onNetworkError);
        connect(network, &SpeechBackend::backendStateChanged, this, &Conversation::onBackendState);
        connect(network, &SpeechBackend::listeningChanged, this, &Conversation::tellWhetherToListen);
        connect(network, &SpeechBackend::wakeWordDetected, this, &Conversation::onWakeWord);
        connect(network, &SpeechBackend::pipelineStateChanged, this, &Conversation::onPipelineState);
        connect(network, &SpeechBackend::handsFreePartial, this, &Conversation::onHandsFreePartial);
        connect(network, &SpeechBackend::handsFreeTranscript, this, &Conversation::onHandsFreeTranscript);
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
    m_mustTellListening = m_mustTellListening || !m_wasHandsFreeSet || handsFree != m_isHandsFree;
    m_wasHandsFreeSet = true;
    if (handsFree != m_isHandsFree) {
        m_isHandsFree = handsFree;
        if (!handsFree && m_turn == Turn::HandsFree)
            endTurn(true);
        emit handsFreeChanged();
    }
    tellWhetherToListen();
}

void Conversation::setErrorTimeout(int milliseconds)
{
    if (milliseconds == m_errorTimer.interval())
        return;
    m_errorTimer.setInterval(milliseconds);
    emit errorTimeoutChanged();
}

void Conversation::setSpeechTimeout(int milliseconds)
{
    if (milliseconds == m_speechTimer.interval())
        return;
    m_speechTimer.setInterval(milliseconds);
    emit speechTimeoutChanged();
}

// ---- push-to-talk

void Conversation::press()
{
    begin(Turn::Held);
}

void Conversation::release()
{
    if (m_turn == Turn::Held)
        endSpeech();
}

void Conversation::toggle()
{
    if (m_turn == Turn::Held && m_state == State::Listening) {
        m_turn = Turn::Tapped;
        m_speechTimer.start();
    } else if (m_turn == Turn::Tapped) {
        endSpeech();
    } else {
        begin(Turn::Tapped);
    }
}

void Conversation::cancel()
{
    if (m_turn == Turn::HandsFree)
        m_ignoresHandsFree = true;
    if (m_turn != Turn::Nobody)
        endTurn(true);
}

void Conversation::dismissError()
{
    if (m_state == State::Error)
        setState(State::Idle);
}

void Conversation::begin(Turn turn)
{
    if (!m_canTalk || isPushToTalk())
        return;
    m_handsFreeWatchdog.stop();
    m_turn = turn;
    m_heard.clear();
    m_isMereTouch = false;
    m_sincePress.start();
    setPartialText(QString());
    setState(State::Listening);
    if (m_turn != turn)
        return; // who heard of the state has cancelled
    if (turn == Turn::Tapped)
        m_speechTimer.start();
    m_network->openStream(m_language);
    m_audio->captureAudio();
    onAudioError();
}

void Conversation::endSpeech()
{
    if (!isPushToTalk() || m_state != State::Listening)
        return;
    m_isMereTouch = m_sincePress.elapsed() < MereTouchMs;
    m_speechTimer.stop();
    m_audio->stopCapture(); // its last chunk still comes through
    if (!isPushToTalk())
        return; // it failed
    m_network->endStream();
    setState(State::Thinking);
}

/// Back to rest. Silent: nobody is told that nothing was heard.
void Conversation::endTurn(bool isSilent)
{
    const Turn turn = std::exchange(m_turn, Turn::Nobody);
    giveBack(turn);
    setPartialText(QString());
    if (!m_laterError.isEmpty()) {
        fail(std::exchange(m_laterError, QString()), std::exchange(m_laterWayOut, QString()));
        return;
    }
    setState(State::Idle);
    if (!isSilent && m_heard.isEmpty())
        emit nothingHeard();
}

/// Give back what a turn used.
void Conversation::giveBack(Turn turn)
{
    m_speechTimer.stop();
    m_handsFreeWatchdog.stop();
    if (turn != Turn::Held && turn != Turn::Tapped)
        return;
    if (m_audio != nullptr)
        m_audio->stopCapture();
    if (m_network != nullptr)
        m_network->dropStream();
}

void Conversation::fail(const QString &error, const QString &wayOut)
{
    giveBack(std::exchange(m_turn, Turn::Nobody));
    setPartialText(QString());
    m_laterError.clear();
    m_laterWayOut.clear();
    m_endsWhenReady = m_network != nullptr && !m_network->isConnected();
    m_errorTimer.start();
    const bool isNew = error != m_error || wayOut != m_wayOut;
    m_error = error;
    m_wayOut = wayOut;
    if (m_state != State::Error)
        setState(State::Error);
    else if (isNew)
        emit stateChanged();
}

void Conversation::onPartDestroyed()
{
    cancel();
    updateCanTalk();
}

void Conversation::onAudioError()
{
    if (isPushToTalk() && m_state == State::Listening && !m_audio->error().isEmpty())
        fail(m_audio->error(), tr("Check the microphone, or choose another one in the settings."));
}

void Conversation::onSourceFileFinished()
{
    if (m_turn == Turn::Tapped)
        endSpeech();
}

void Conversation::onPartial(const QString &text)
{
    m_speechTimer.stop();
    if (isPushToTalk())
        setPartialText(text);
}

void Conversation::onFinal(const QString &text, const QString &language, double latency)
{
    if (!isPushToTalk())
        return;
    setPartialText(QString());
    const QString said = text.trimmed();
    if (!said.isEmpty()) {
        m_heard.append(said);
        if (m_history != nullptr)
            m_history->addTranscription(said, QDateTime::currentDateTime(), language, latency);
        setFinalText(m_heard.join(QLatin1Char(' ')));
    }
    if (m_turn == Turn::Tapped)
        endSpeech();
}

void Conversation::onStreamEnded()
{
    if (isPushToTalk())
        endTurn(m_isMereTouch);
}

// ---- the backend

void Conversation::onNetworkError(const QString &error, const QString &wayOut)
{
    if (m_turn == Turn::Nobody) {
        fail(error, wayOut);
    } else {
        m_laterError = error;
        m_laterWayOut = wayOut;
    }
}

void Conversation::onBackendState()
{
    updateCanTalk();
    if (m_network == nullptr)
        return;
    switch (m_network->backendState()) {
    case SpeechBackend::BackendState::Ready:
        if (m_endsWhenReady)
            dismissError();
        m_mustTellListening = m_wasHandsFreeSet;
        tellWhetherToListen();
        break;
    case SpeechBackend::BackendState::Starting:
        break; // it loads a model: what is being said waits for that
    case SpeechBackend::BackendState::Lost:
    case SpeechBackend::BackendState::Failed:
        if (m_turn != Turn::Nobody)
            fail(m_network->backendMessage(), tr("You can go on as soon as it is back."));
        m_endsWhenReady = m_state == State::Error;
        break;
    }
}

// ---- hands-free

void Conversation::onWakeWord()
{
    m_ignoresHandsFree = false;
    listenHandsFree();
}

void Conversation::onPipelineState(const QString &state)
{
    if (state == QLatin1String("LISTENING")) {
        listenHandsFree();
    } else if (state == QLatin1String("PROCESSING")) {
        if (m_turn == Turn::HandsFree)
            setState(State::Thinking);
    } else if (state != QLatin1String("EMIT")) {
        m_ignoresHandsFree = false;
        if (m_turn == Turn::HandsFree)
            endTurn(state != QLatin1String("IDLE"));
    }
}

void Conversation::onHandsFreePartial(const QString &text)
{
    if (m_turn != Turn::HandsFree)
        return;
    m_handsFreeWatchdog.start();
    setPartialText(text);
}

void Conversation::onHandsFreeTranscript(const QString &text, const QString &language, double latency,
                                         const QDateTime &time)
{
    if (!m_isHandsFree || m_ignoresHandsFree || isPushToTalk())
        return;
    const QString said = text.trimmed();
    m_heard.clear();
    if (!said.isEmpty()) {
        m_heard.append(said);
        if (m_history != nullptr)
            m_history->addTranscription(said, time, language, latency);
        setFinalText(said);
    }
    endTurn(false);
}

void Conversation::onHandsFreeFailed(const QString &error, const QString &wayOut)
{
    if (m_isHandsFree && !isPushToTalk())
        fail(error, wayOut);
}

void Conversation::listenHandsFree()
{
    if (!m_isHandsFree || m_ignoresHandsFree || isPushToTalk())
        return;
    m_handsFreeWatchdog.start();
    if (m_turn == Turn::HandsFree && m_state == State::Listening)
        return;
    m_turn = Turn::HandsFree;
    m_heard.clear();
    setPartialText(QString());
    setState(State::Listening);
}

void Conversation::tellWhetherToListen()
{
    if (!m_mustTellListening || m_network == nullptr || !m_network->isConnected() || !m_network->canListen())
        return;
    m_mustTellListening = false;
    if (m_network->isListening() != m_isHandsFree)
        m_network->setListening(m_isHandsFree);
}

// ---- what the screen sees

void Conversation::setState(State state)
{
    if (state == m_state)
        return;
    m_state = state;
    if (state != State::Error) {
        m_errorTimer.stop();
        m_endsWhenReady = false;
        m_error.clear();
        m_wayOut.clear();
    }
    emit stateChanged();
}

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

void Conversation::updateCanTalk()
{
    const bool hasSound = m_audio != nullptr && (m_audio->isAvailable() || !m_audio->sourceFile().isEmpty());
    const bool canTalk = hasSound && m_network != nullptr && m_network->isConnected();
    if (canTalk == m_canTalk)
        return;
    m_canTalk = canTalk;
    emit canTalkChanged();
}
