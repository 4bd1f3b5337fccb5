#include "backend/rtapprocess.h"

#include <QDir>
#include <QFile>
#include <QProcessEnvironment>
#include <QTcpServer>

#include <array>
#include <memory>

#include <signal.h>

namespace {

/// Free at this moment; all at once, so that they differ.
std::array<int, 5> freePorts()
{
    std::array<int, 5> ports{};
    std::array<QTcpServer, 5> servers;
    for (std::size_t i = 0; i < ports.size(); ++i) {
        if (!servers.at(i).listen(QHostAddress::LocalHost))
            qFatal("no free port");
        ports.at(i) = servers.at(i).serverPort();
    }
    return ports;
}

} // namespace

QString RtapProcess::command()
{
    return qEnvironmentVariable("RTAP_COMMAND");
}

RtapProcess::RtapProcess(const QString &audio, const QString &apiKey)
{
    const std::array<int, 5> ports = freePorts();
    m_httpPort = ports[0];
    m_eventsPort = ports[1];
    QDir().mkdir(modelsDirectory());
    QFile profile(m_directory.filePath(QStringLiteral("profile.yaml")));
    if (!profile.open(QIODevice::WriteOnly))
        qFatal("the profile cannot be written");
    profile.write(
        QStringLiteral(
            "inherits: default\n"
            "audio: %1\n"
            "models_dir: %2\n"
            "vehicle: {state: %9}\n"
            "output: {http_port: %3, websocket_port: %4, health_port: %5, zmq_pub_port_events: %6,\n"
            "         zmq_pub_port_transcripts: %7, wyoming_enabled: false, api_key: \"%8\"}\n")
            .arg(audio, modelsDirectory())
            .arg(ports[0])
            .arg(ports[1])
            .arg(ports[2])
            .arg(ports[3])
            .arg(ports[4])
            .arg(apiKey, m_directory.filePath(QStringLiteral("vehicle.json")))
            .toUtf8());
    m_process.setProgram(command());
    m_process.setArguments({QStringLiteral("serve"), QStringLiteral("--file"), profile.fileName()});
    // These would come before the profile.
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const char *name :
         {"RTAP_ENVIRONMENT", "RTAP_AUDIO_MOCK", "AUDIO_DEVICE", "MODEL_NAME", "MODELS_DIR"})
        environment.remove(QString::fromLatin1(name));
    environment.insert(QStringLiteral("XDG_CONFIG_HOME"),
                       m_directory.path()); // where `rtap models use` writes
    m_process.setProcessEnvironment(environment);
    m_process.setProcessChannelMode(QProcess::MergedChannels);
}

RtapProcess::~RtapProcess()
{
    kill();
}

void RtapProcess::start()
{
    if (m_process.state() != QProcess::NotRunning)
        return;
    m_process.start();
    if (!m_process.waitForStarted())
        qFatal("RTAP_COMMAND cannot be started: %s", qPrintable(command()));
}

void RtapProcess::kill()
{
    m_process.kill();
    m_process.waitForFinished();
}

void RtapProcess::pause()
{
    signalProcess(SIGSTOP);
}

void RtapProcess::resume()
{
    signalProcess(SIGCONT);
}

QString RtapProcess::url() const
{
    return QStringLiteral("http://localhost:%1").arg(m_httpPort);
}

QByteArray RtapProcess::log()
{
    return m_process.readAll();
}

void RtapProcess::signalProcess(int number)
{
    if (m_process.processId() > 0)
        ::kill(pid_t(m_process.processId()), number);
}
