#pragma once

#include "backend/commandevents.h"

#include <QByteArray>
#include <QDateTime>
#include <QObject>
#include <QQmlEngine>
#include <QString>

/// What a conversation needs of the backend. It knows of no connection: NetworkManager implements it.
class SpeechBackend : public QObject
{
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("NetworkManager implements it")
    Q_PROPERTY(BackendState backendState READ backendState NOTIFY backendStateChanged)
    /// Shorthand: backendState is Ready.
    Q_PROPERTY(bool isConnected READ isConnected NOTIFY backendStateChanged)
    /// Why the backend is not ready, a sentence for the driver; empty when it is.
    Q_PROPERTY(QString backendMessage READ backendMessage NOTIFY backendStateChanged)
    /// Whether the backend's own microphone listens (hands-free), as the backend says; see setListening().
    Q_PROPERTY(bool listening READ isListening NOTIFY listeningChanged)
    /// Whether the backend has a microphone of its own that can be switched; false until it has said so.
    Q_PROPERTY(bool canListen READ canListen NOTIFY listeningChanged)

public:
    enum class BackendState {
        Starting, ///< never seen ready since the GUI started, or it says "loading model"
        Ready,
        Lost, ///< was there, and does not answer any more
        Failed ///< answers, but says that it cannot work (backendMessage says why)
    };
    Q_ENUM(BackendState)

    using QObject::QObject;

    virtual BackendState backendState() const = 0;
    bool isConnected() const { return backendState() == BackendState::Ready; }
    virtual QString backendMessage() const = 0;
    virtual bool isListening() const = 0;
    virtual bool canListen() const = 0;

    /// Switch the backend's microphone, for hands-free use; listeningChanged follows.
    Q_INVOKABLE virtual void setListening(bool enabled) = 0;
    /// Have it wait for the wake word again.
    Q_INVOKABLE virtual void cancelListening() = 0;
    /// End the answer that the backend speaks; nothing where it speaks none.
    Q_INVOKABLE virtual void stopAnswer() = 0;

    // ---- Push-to-talk: openStream, chunks (kept until the connection is ready), endStream, final(s) and
    // their answers, streamEnded
    /// Begin to transcribe, and to do what is said; a stream that is open is dropped.
    virtual void openStream(const QString &language) = 0;
    Q_INVOKABLE virtual void sendAudioChunk(const QByteArray &chunk) = 0;
    /// The audio is complete; streamEnded follows the last final and its answer, after 10 s at most.
    Q_INVOKABLE virtual void endStream() = 0;
    /// At once, without finals and without streamEnded.
    virtual void dropStream() = 0;

    // ---- What is tapped in place of being said
    enum class Microphone { Screen, Backend };
    /// The next turn of a conversation, which is done as if it was said to that microphone. What comes of it
    /// has the utterance's id, which whoever calls this makes up.
    virtual void say(const QString &text, const QString &language, const QString &utterance,
                     Microphone microphone) = 0;

    /// Ask what can be said; examplesRead follows, where the backend knows.
    virtual void readExamples(const QString &language) = 0;

signals:
    /// A request failed. Both are sentences for the driver: what happened, and the way out.
    void errorOccurred(const QString &error, const QString &wayOut);
    // ---- Push-to-talk
    void speechStarted();
    void partialTranscription(const QString &text);
    /// The utterance is its id, which its answer has too.
    void finalTranscription(const QString &text, const QString &language, double latency,
                            const QString &utterance);
    /// What the assistant says to an utterance, after its final. Not every utterance has an answer.
    /// The earcon, a word, says how it went: done, failed, heard or question.
    void answered(const QString &text, const QString &earcon, const QString &utterance);
    /// What an utterance means, and what came of that; before its answer, and of any microphone.
    void understood(const Understood &understood);
    void acted(const Acted &acted);
    void examplesRead(const QList<Example> &examples);
    /// The stream failed; errorOccurred follows with the same sentences.
    void streamFailed(const QString &error, const QString &wayOut);
    /// The stream is over: after endStream's last final, or because it broke (then errorOccurred came
    /// before).
    void streamEnded();
    // ---- Hands-free: events of the backend's own microphone
    void wakeWordDetected(const QString &name);
    void pipelineStateChanged(const QString &state); ///< IDLE LISTENING PROCESSING EMIT ERROR SHUTDOWN
    void handsFreePartial(const QString &text);
    void handsFreeTranscript(const QString &text, const QString &language, double latency,
                             const QDateTime &time, const QString &utterance);
    void handsFreeAnswer(const QString &text, const QString &earcon, const QString &utterance);
    /// How loud it is at the backend's microphone while it listens, ten times a second: dBFS, and 0 to 1 as
    /// levelOf() has it.
    void handsFreeLevel(double dbfs, qreal level);
    /// The backend's microphone or its pipeline failed; sentences as of errorOccurred.
    void handsFreeFailed(const QString &error, const QString &wayOut);

    void backendStateChanged();
    void listeningChanged();
};
