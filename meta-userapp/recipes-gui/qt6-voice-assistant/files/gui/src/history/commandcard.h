#pragma once

#include "backend/commandevents.h"

#include <QObject>
#include <QQmlEngine>
#include <QString>
#include <QStringList>
#include <QTimer>

/// The newest command on the screen: what it is about, what became of it, and what can be answered to it.
///
/// It is told of an utterance what the backend says of it, in this order: understand(), act(), answer().
class CommandCard : public QObject
{
    Q_OBJECT
    QML_ELEMENT
    Q_PROPERTY(State state READ state NOTIFY changed)
    /// One of Icon's names.
    Q_PROPERTY(QString area READ area NOTIFY changed)
    /// Such as "Temperature".
    Q_PROPERTY(QString title READ title NOTIFY changed)
    /// Such as "rear left"; empty: nowhere, or everywhere.
    Q_PROPERTY(QString place READ place NOTIFY changed)
    /// What holds now, such as "21 °C"; empty: nothing that could be written so.
    Q_PROPERTY(QString value READ value NOTIFY changed)
    /// What held before; empty: not known, or the same.
    Q_PROPERTY(QString before READ before NOTIFY changed)
    /// What the assistant says to it, where neither the value nor the choices say the same; empty: nothing.
    Q_PROPERTY(QString sentence READ sentence NOTIFY changed)
    /// Of a question: what can be chosen. Empty: yes or no.
    Q_PROPERTY(QStringList choices READ choices NOTIFY changed)
    /// Whether what was done can be taken back with a tap.
    Q_PROPERTY(bool canUndo READ canUndo NOTIFY changed)
    /// Whether a question can be answered with a tap.
    Q_PROPERTY(bool canAnswer READ canAnswer NOTIFY changed)

public:
    enum class State {
        None, ///< there is no card
        Doing, ///< understood, and not done yet
        Done,
        TakenBack, ///< what was done before is undone
        Told, ///< another program does it, or the sentence is all that there is
        Refused, ///< `sentence` says why
        TimedOut, ///< the car did not answer
        Asking, ///< nothing is done before somebody answers
        Dropped ///< nobody answered
    };
    Q_ENUM(State)

    explicit CommandCard(QObject *parent = nullptr);

    State state() const { return m_state; }
    QString area() const { return m_area; }
    QString title() const { return m_title; }
    QString place() const { return m_place; }
    QString value() const { return m_value; }
    QString before() const { return m_before; }
    QString sentence() const;
    QStringList choices() const { return m_choices; }
    bool canUndo() const { return m_canUndo; }
    bool canAnswer() const;
    /// Code of what was said.
    QString language() const { return m_language; }
    /// How long the backend waits for the answer to a question; 10 s by default.
    void setPatience(int milliseconds) { m_patience.setInterval(milliseconds); }

    void understand(const Understood &understood);
    void act(const Acted &acted);
    /// What the assistant says to the utterance.
    void answer(const QString &text, const QString &utterance);
    /// Somebody has tapped an answer to it, or that it be taken back: another tap would be one too many.
    void await();
    /// There is no card any more.
    void clear();

    // ---- What is to be said to the backend in place of the driver; empty: its language has no words for it
    QString wordsForUndo() const;
    QString wordsForAnswer(bool isYes) const;
    /// Of `choices`.
    QString wordsForChoice(int index) const;

signals:
    void changed();

private:
    void ask(const Understood &understood);
    void name(const Command &command);
    void nameUndone(const Acted &acted);
    void setState(State state);
    QString words(const char *english, const char *german) const;

    State m_state = State::None;
    QString m_utterance;
    QString m_language;
    QString m_area;
    QString m_title;
    QString m_place;
    QString m_value;
    QString m_before;
    QString m_sentence;
    QStringList m_choices;
    bool m_isAskedWhich = false; ///< and not yes or no
    bool m_canUndo = false;
    QTimer m_patience;

    // Of what was done last, so that its undoing can be called the same.
    QString m_lastPath;
    QString m_lastArea;
    QString m_lastTitle;
    QString m_lastPlace;
};
