#pragma once

#include "audio/audioengine.h"
#include "backend/speechbackend.h"
#include "history/commandcard.h"
#include "history/transcriptionmodel.h"

#include <QElapsedTimer>
#include <QObject>
#include <QPointer>
#include <QQmlEngine>
#include <QString>
#include <QStringList>
#include <QTimer>

#include <optional>

/// Who speaks, and what was understood of it: the state machine between microphone, backend, history and
/// screen.
///
/// Two ways to talk. Push-to-talk: press() .. release() (held) or toggle() (tapped); the backend transcribes
/// what the screen's microphone records. Hands-free: the backend's microphone records, and this follows its
/// events. Push-to-talk wins while both happen.
///
/// Everything that the backend reports as an error becomes the state Error here, at once or at the end of the
/// turn, so the screen needs no other place for errors.
class Conversation : public QObject
{
    Q_OBJECT
    QML_ELEMENT
    Q_PROPERTY(AudioEngine *audio READ audio WRITE setAudio NOTIFY audioChanged REQUIRED)
    Q_PROPERTY(SpeechBackend *network READ network WRITE setNetwork NOTIFY networkChanged REQUIRED)
    Q_PROPERTY(TranscriptionModel *history READ history WRITE setHistory NOTIFY historyChanged REQUIRED)
    /// Whisper's code, or "auto".
    Q_PROPERTY(QString language READ language WRITE setLanguage NOTIFY languageChanged)
    /// Whether to follow the backend's microphone. Once set, the backend is told to listen, or not to, now
    /// and whenever it comes back.
    Q_PROPERTY(bool handsFree READ isHandsFree WRITE setHandsFree NOTIFY handsFreeChanged)
    Q_PROPERTY(State state READ state NOTIFY stateChanged)
    /// Shorthand: state is Held, Tapped or Sent.
    Q_PROPERTY(bool pushToTalk READ isPushToTalk NOTIFY stateChanged)
    /// Shorthand: state is HandsFree or HandsFreeSent.
    Q_PROPERTY(bool handsFreeTurn READ isHandsFreeTurn NOTIFY stateChanged)
    /// Whether somebody speaks, or has spoken, and there is no final of it yet.
    Q_PROPERTY(bool awaitingFinal READ isAwaitingFinal NOTIFY awaitingFinalChanged)
    /// What is understood so far, while speaking; empty otherwise.
    Q_PROPERTY(QString partialText READ partialText NOTIFY partialTextChanged)
    /// The newest final; all finals of one press, where it has several.
    Q_PROPERTY(QString finalText READ finalText NOTIFY finalTextChanged)
    /// What the assistant says to it; empty: nothing, or not yet. The newest answer, where there are several.
    Q_PROPERTY(QString answer READ answer NOTIFY answerChanged)
    /// How it went: done, failed, heard or question; empty without an answer.
    Q_PROPERTY(QString earcon READ earcon NOTIFY answerChanged)
    /// The command that was said last.
    Q_PROPERTY(CommandCard *card READ card CONSTANT)
    /// Set in the states Error and ErrorUntilReady: what happened, and the way out.
    Q_PROPERTY(QString error READ error NOTIFY stateChanged)
    Q_PROPERTY(QString wayOut READ wayOut NOTIFY stateChanged)
    /// Loudness of who is listened to, 0 to 1: at the backend's microphone hands-free, else at the screen's.
    Q_PROPERTY(qreal level READ level NOTIFY levelChanged)
    /// Whether press() would do something: the backend is ready and there is a microphone.
    Q_PROPERTY(bool canTalk READ canTalk NOTIFY canTalkChanged)
    /// Milliseconds after which the states Error and ErrorUntilReady end by themselves.
    Q_PROPERTY(int errorTimeout READ errorTimeout WRITE setErrorTimeout NOTIFY errorTimeoutChanged)
    /// Milliseconds after a tap within which somebody has to begin to speak.
    Q_PROPERTY(int speechTimeout READ speechTimeout WRITE setSpeechTimeout NOTIFY speechTimeoutChanged)
    /// Milliseconds after which the state NothingHeard ends.
    Q_PROPERTY(int silenceTimeout READ silenceTimeout WRITE setSilenceTimeout NOTIFY silenceTimeoutChanged)
    /// Milliseconds after which an answer and the card go, 20 s by default.
    Q_PROPERTY(int answerTimeout READ answerTimeout WRITE setAnswerTimeout NOTIFY answerTimeoutChanged)

public:
    enum class State {
        Idle, ///< nobody speaks
        NothingHeard, ///< as Idle, for a while after a turn without speech
        Held, ///< the button is held, and the screen's microphone records
        Tapped, ///< the button was tapped, and the screen's microphone records until speech ends
        Sent, ///< the recording is complete, its transcription is not
        HandsFree, ///< the backend's microphone records
        HandsFreeSent, ///< the backend transcribes what its microphone recorded
        Error, ///< `error` says what happened
        ErrorUntilReady ///< as Error; it ends as soon as the backend is ready
    };
    Q_ENUM(State)

    /// What can happen.
    enum class Event {
        Press, ///< of the button, where canTalk
        Tap, ///< of the button; while it is pressed: the press was a tap
        Release, ///< of the button
        SpeechEnd, ///< there is a final, or the source file has been played
        StreamEnd, ///< all finals of the recording are there
        StreamSilence, ///< the same, and none has text
        Cancel, ///< somebody drops what is being said
        Failure, ///< of the microphone or of the stream
        RequestFailure, ///< of another request
        BackendLoss, ///< the backend is lost, or says that it cannot work
        BackendReturn, ///< the backend is ready
        Dismissal, ///< somebody has read the error
        Timeout, ///< of the state's own
        HandsFreeSpeech, ///< the wake word was said, or the backend's microphone records
        HandsFreeSpeechEnd, ///< the backend begins to transcribe
        HandsFreeFinal, ///< a final with text
        HandsFreeSilence, ///< a final without text
        HandsFreeIdle, ///< the backend waits for the wake word again
        HandsFreeStop, ///< the backend's pipeline ended, or hands-free was switched off
        HandsFreeFailure ///< of the backend's microphone
    };
    Q_ENUM(Event)

    /// The state after an event: all rules are here. An event that means nothing in a state leaves it.
    static State next(State state, Event event);
    static bool isPushToTalk(State state);
    /// Whether somebody speaks, or has spoken and is not transcribed yet.
    static bool isTurn(State state);
    static bool isError(State state);

    explicit Conversation(QObject *parent = nullptr);
    ~Conversation() override;

    AudioEngine *audio() const { return m_audio; }
    void setAudio(AudioEngine *audio);
    SpeechBackend *network() const { return m_network; }
    void setNetwork(SpeechBackend *network);
    TranscriptionModel *history() const { return m_history; }
    void setHistory(TranscriptionModel *history);
    QString language() const { return m_language; }
    void setLanguage(const QString &language);
    bool isHandsFree() const { return m_handsFree.value_or(false); }
    void setHandsFree(bool handsFree);
    State state() const { return m_state; }
    bool isPushToTalk() const { return isPushToTalk(m_state); }
    bool isHandsFreeTurn() const { return isTurn(m_state) && !isPushToTalk(); }
    bool isAwaitingFinal() const { return m_isAwaitingFinal; }
    QString partialText() const { return m_partialText; }
    QString finalText() const { return m_finalText; }
    QString answer() const { return m_answer; }
    QString earcon() const { return m_earcon; }
    CommandCard *card() { return &m_card; }
    QString error() const { return m_error; }
    QString wayOut() const { return m_wayOut; }
    qreal level() const;
    bool canTalk() const { return m_canTalk; }
    int errorTimeout() const { return m_errorTimeout; }
    void setErrorTimeout(int milliseconds);
    int speechTimeout() const { return m_speechTimeout; }
    void setSpeechTimeout(int milliseconds);
    int silenceTimeout() const { return m_silenceTimeout; }
    void setSilenceTimeout(int milliseconds);

    int answerTimeout() const { return m_answerTimer.interval(); }
    void setAnswerTimeout(int milliseconds);

    Q_INVOKABLE void press();
    Q_INVOKABLE void release();
    /// Begin, or end, as a tap does. While press() is held it lets go of the button without an end, so that a
    /// button may call press() at once and, when it was let go early, toggle() in place of release().
    Q_INVOKABLE void toggle();
    /// Drop what is being said.
    Q_INVOKABLE void cancel();
    /// End the voice that speaks the answer; what is shown of it stays.
    Q_INVOKABLE void hush();
    /// Leave the states Error and ErrorUntilReady.
    Q_INVOKABLE void dismissError();

    // ---- Taps on the card, in place of words
    /// Take back what was done.
    Q_INVOKABLE void undo();
    /// Answer a question with yes or no.
    Q_INVOKABLE void confirm(bool isYes);
    /// Answer a question with one of its choices.
    Q_INVOKABLE void choose(int index);

signals:
    void audioChanged();
    void networkChanged();
    void historyChanged();
    void languageChanged();
    void handsFreeChanged();
    void stateChanged();
    void awaitingFinalChanged();
    void partialTextChanged();
    void finalTextChanged();
    void answerChanged();
    /// Somebody said the wake word, hands-free.
    void called();
    void levelChanged();
    /// As AudioEngine::peaksReady, of the backend's microphone.
    void handsFreePeaks(const QList<float> &peaks);
    void canTalkChanged();
    void errorTimeoutChanged();
    void speechTimeoutChanged();
    void silenceTimeoutChanged();
    void answerTimeoutChanged();

private:
    void handle(Event event);
    void enter(State state);
    void beginRecording();
    void completeRecording();
    void giveBack();
    void startTimer();
    void fail(Event event, const QString &error, const QString &wayOut);
    void showError(State to, const QString &error, const QString &wayOut);
    void addFinal(const QString &text, const QString &language, double latency, const QDateTime &time,
                  const QString &utterance);

    void onPartDestroyed();
    void onAudioError();
    void onSpeech();
    void onPartial(const QString &text);
    void onFinal(const QString &text, const QString &language, double latency, const QString &utterance);
    void onAnswer(const QString &text, const QString &earcon, const QString &utterance);
    void onUnderstood(const Understood &understood);
    void onActed(const Acted &acted);
    void say(const QString &words);
    void forgetCommand();
    void dropAnswer();
    void onStreamEnded();
    void onNetworkError(const QString &error, const QString &wayOut);
    void onBackendState();

    void onWakeWord();
    void onPipelineState(const QString &state);
    void onHandsFreePartial(const QString &text);
    void onHandsFreeTranscript(const QString &text, const QString &language, double latency,
                               const QDateTime &time, const QString &utterance);
    void onHandsFreeLevel(double dbfs, qreal level);
    void onHandsFreeFailed(const QString &error, const QString &wayOut);
    void followSpeech();
    void tellWhetherToListen();

    void setPartialText(const QString &text);
    void setFinalText(const QString &text);
    void setAnswer(const QString &text, const QString &earcon);
    void updateAwaitingFinal();
    void updateCanTalk();

    QPointer<AudioEngine> m_audio;
    QPointer<SpeechBackend> m_network;
    QPointer<TranscriptionModel> m_history;
    QString m_language = QStringLiteral("auto");
    std::optional<bool> m_handsFree; ///< Without a value: not set yet.
    bool m_mustTellListening = false; ///< The backend does not know yet whether to listen.

    State m_state = State::Idle;
    QString m_partialText;
    QString m_finalText;
    CommandCard m_card;
    QString m_answer;
    QString m_earcon;
    QString m_error;
    QString m_wayOut;
    QString m_laterError; ///< Came during a turn, and is shown at its end.
    QString m_laterWayOut;
    qreal m_handsFreeLevel = 0;
    bool m_canTalk = false;
    bool m_isAwaitingFinal = false;

    QStringList m_finals; ///< Of this turn, those with text.
    QStringList m_utterances; ///< Of m_finalText, and of what was tapped after it.
    SpeechBackend::Microphone m_microphone = SpeechBackend::Microphone::Screen; ///< That heard them.
    QTimer m_answerTimer;
    bool m_ignoresHandsFree = false; ///< Until the pipeline is idle: the turn was cancelled.
    QElapsedTimer m_sincePress;
    bool m_isMereTouch = false; ///< The recording is too short to expect speech in it.
    QTimer m_timer; ///< Of the state.
    int m_errorTimeout;
    int m_speechTimeout;
    int m_silenceTimeout;
};
