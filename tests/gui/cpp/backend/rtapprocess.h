#pragma once

#include <QProcess>
#include <QString>
#include <QTemporaryDir>

/// The real backend as a process of its own, on ports of its own, with a configuration of its own.
class RtapProcess
{
public:
    /// Where the command is: the environment variable RTAP_COMMAND; empty if it is not set.
    static QString command();

    /// The section `audio` of the profile as YAML, and the key that clients have to send; empty: none.
    explicit RtapProcess(const QString &audio = QStringLiteral("{source: none}"), const QString &apiKey = {});
    ~RtapProcess();

    /// Start, on the same ports each time; nothing where it runs already. Returns before it listens.
    void start();
    /// kill -9, and wait for the end.
    void kill();
    /// SIGSTOP: it holds its connections and does nothing.
    void pause();
    /// SIGCONT.
    void resume();

    QString url() const;
    int eventsPort() const { return m_eventsPort; }
    QString directory() const { return m_directory.path(); }
    /// For models beside the bundled one.
    QString modelsDirectory() const { return m_directory.filePath(QStringLiteral("models")); }
    /// What it has written so far.
    QByteArray log();

private:
    void signalProcess(int number);

    QTemporaryDir m_directory;
    QProcess m_process;
    int m_httpPort = 0;
    int m_eventsPort = 0;
};
