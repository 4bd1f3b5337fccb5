#pragma once

#include "audio/audioengine.h"
#include "backend/speechbackend.h"
#include "history/transcriptionmodel.h"

#include <QElapsedTimer>
#include <QObject>
#include <QPointer>
#include <QQmlEngine>
#include <QString>
#include <QStringList>
#include <QTimer>

/// Who speaks, and what was understood of it: the state machine between microphone, backend, history and
/// screen.
///
/// Two ways to talk. Push-to-talk: press() .. release() (held) or toggle() (tapped); the GUI's microphone
/// goes through /stream. Hands-free: the backend's microphone; this follows its events. Push-to-talk wins
/// while both happen.
///
/// Everything that the backend reports as an error becomes the state Error here, at once or after what is
/// being said, so the screen needs no other place for errors.
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
    /// What is understood so far, while speaking; empty otherwise.
    Q_PROPERTY(QString partialText READ partialText NOTIFY partialTextChanged)
    /// The newest final; all finals of one press, where it has several.
    Q_PROPERTY(QString finalText READ finalText NOTIFY finalTextChanged)
    /// Set in the state Error: what happened, and the way out.
    Q_PROPERTY(QString error READ error NOTIFY stateChanged)
    Q_PROPERTY(QString wayOut READ wayOut NOTIFY stateChanged)
    /// Whether press() would do something: the backend is ready and there is a microphone.
    Q_PROPERTY(bool canTalk READ canTalk NOTIFY canTalkChanged)
    /// Milliseconds after which the state Error ends by itself.
    Q_PROPERTY(int errorTimeout READ errorTimeout WRITE setErrorTimeout NOTIFY errorTimeoutChanged)
    /// Milliseconds after a tap within which somebody has to begin to speak.
    Q_PROPERTY(int speechTimeout READ speechTimeout WRITE setSpeechTimeout NOTIFY speechTimeoutChanged)

public:
    enum class State { Idle, Listening, Thinking, Error };
    Q_ENUM(State)

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
    bool isHandsFree() const { return m_isHandsFree; }
    void setHandsFree(bool handsFree);
    State state() const { return m_state; }
    QString partialText() const { return m_partialText; }
    QString finalText() const { return m_finalText; }
    QString error() const { return m_error; }
    QString wayOut() const { return m_wayOut; }
    bool canTalk() const { return m_canTalk; }
    int errorTimeout() const { return m_errorTimer.interval(); }
    void setErrorTimeout(int milliseconds);
    int speechTimeout() const { return m_speechTimer.interval(); }
    void setSpeechTimeout(int milliseconds);

    Q_INVOKABLE void press();
    Q_INVOKABLE void release();
    /// Begin, or end, as a tap does. While press() is held it lets go of the button without an end, so that a
    /// button may call press() at once and, when it was let go early, toggle() in place of release().
    Q_INVOKABLE void toggle();
    /// Drop what is being said.
    Q_INVOKABLE void cancel();
    /// Leave the state Error.
    Q_INVOKABLE void dismissError();

signals:
    /// Somebody wanted to talk, and there was no speech. Not after a touch of less than 300 ms.
    void nothingHeard();
    void audioChanged();
    void networkChanged();
    void historyChanged();
    void languageChanged();
    void handsFreeChanged();
    void stateChanged();
    void partialTextChanged();
    void finalTextChanged();
    void canTalkChanged();
    void errorTimeoutChanged();
    void speechTimeoutChanged();

private:
    /// Whose turn it is to be heard.
    enum class Turn { Nobody, Held, Tapped, HandsFree };

    bool isPushToTalk() const { return m_turn == Turn::Held || m_turn == Turn::Tapped; }
    void begin(Turn turn);
    void endSpeech();
    void endTurn(bool isSilent);
    void fail(const QString &error, const QString &wayOut);
    void giveBack(Turn turn);

    void onPartDestroyed();
    void onAudioError();
    void onSourceFileFinished();
    void onPartial(const QString &text);
    void onFinal(const QString &text, const QString &language, double latency);
    void onStreamEnded();
    void onNetworkError(const QString &error, const QString &wayOut);
    void onBackendState();

    void onWakeWord();
    void onPipelineState(const QString &state);
    void onHandsFreePartial(const QString &text);
    void onHandsFreeTranscript(const QString &text, const QString &language, double latency,
                               const QDateTime &time);
    void onHandsFreeFailed(const QString &error, const QString &wayOut);
    void listenHandsFree();
    void tellWhetherToListen();

    void setState(State state);
    void setPartialText(const QString &text);
    void setFinalText(const QString &text);
    void updateCanTalk();

    QPointer<AudioEngine> m_audio;
    QPointer<SpeechBackend> m_network;
    QPointer<TranscriptionModel> m_history;
    QString m_language = QStringLiteral("auto");
    bool m_isHandsFree = false;
    bool m_mustTellListening = false; ///< The backend does not know yet whether to listen.
    bool m_wasHandsFreeSet = false;

    State m_state = State::Idle;
    Turn m_turn = Turn::Nobody;
    QString m_partialText;
    QString m_finalText;
    QString m_error;
    QString m_wayOut;
    QString m_laterError; ///< Came while somebody was talking.
    QString m_laterWayOut;
    bool m_endsWhenReady = false; ///< The state Error, when the backend is back.
    bool m_canTalk = false;

    QStringList m_heard; ///< Finals of this turn.
    bool m_isMereTouch = false;
    bool m_ignoresHandsFree = false; ///< Until the pipeline is idle: the turn was cancelled.
    QElapsedTimer m_sincePress;
    QTimer m_errorTimer;
    QTimer m_speechTimer;
    QTimer m_handsFreeWatchdog;
};
