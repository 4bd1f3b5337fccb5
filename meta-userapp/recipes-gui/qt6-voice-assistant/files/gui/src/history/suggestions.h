#pragma once

#include "backend/commandevents.h"
#include "backend/speechbackend.h"

#include <QHash>
#include <QList>
#include <QObject>
#include <QPointer>
#include <QQmlEngine>
#include <QString>
#include <QStringList>
#include <QTimer>

/// What can be said: a few examples of the backend's grammar, others after a while, those first whose
/// commands were used least since the start.
class Suggestions : public QObject
{
    Q_OBJECT
    QML_ELEMENT
    Q_PROPERTY(SpeechBackend *network READ network WRITE setNetwork NOTIFY networkChanged REQUIRED)
    /// Code of what the driver speaks, or "auto": then the screen's language, and else the backend's.
    Q_PROPERTY(QString language READ language WRITE setLanguage NOTIFY languageChanged)
    /// At most three; empty until the backend has said what it understands.
    Q_PROPERTY(QStringList shown READ shown NOTIFY shownChanged)
    /// Milliseconds for which the same are shown.
    Q_PROPERTY(int interval READ interval WRITE setInterval NOTIFY intervalChanged)
    /// Whether they are to be seen; others come only then.
    Q_PROPERTY(bool running READ isRunning WRITE setRunning NOTIFY runningChanged)

public:
    explicit Suggestions(QObject *parent = nullptr);

    SpeechBackend *network() const { return m_network; }
    void setNetwork(SpeechBackend *network);
    QString language() const { return m_language; }
    void setLanguage(const QString &language);
    QStringList shown() const { return m_shown; }
    int interval() const { return m_timer.interval(); }
    void setInterval(int milliseconds);
    bool isRunning() const { return m_isRunning; }
    void setRunning(bool isRunning);

signals:
    void networkChanged();
    void languageChanged();
    void shownChanged();
    void intervalChanged();
    void runningChanged();

private:
    void ask();
    void onExamples(const QList<Example> &examples);
    void showOthers();
    void updateTimer();

    QPointer<SpeechBackend> m_network;
    QString m_language = QStringLiteral("auto");
    QList<Example> m_examples; ///< Those that were shown longest ago are first.
    QHash<QString, int> m_used; ///< How often, by command.
    QStringList m_shown;
    QTimer m_timer;
    bool m_isRunning = false;
};
