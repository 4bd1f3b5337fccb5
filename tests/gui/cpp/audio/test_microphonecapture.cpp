#include "audio/audioengine.h"
#include "audio/tone.h"
#include "soon.h"

#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <csignal>
#include <cstring>

#include <sys/prctl.h>

static const QString Microphone = QStringLiteral("module-remap-source");

/// A microphone for real, as far as the program can tell: a sound server of the test's own, and in it a
/// source that hears what is played into a sink.
class TestMicrophoneCapture : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase();
    void cleanupTestCase();

    void isListed();
    void hearsWhatIsPlayed();
    void stopsAndBeginsAnew();
    void goesOnAfterUnplugging();
    void survivesTheServer();

private:
    void startServer();
    int control(const QStringList &arguments) const;
    bool plugIn() const;

    QTemporaryDir m_folder;
    QProcess m_server;
};

void TestMicrophoneCapture::initTestCase()
{
    for (const QString &program : {QStringLiteral("pulseaudio"), QStringLiteral("pactl")}) {
        if (QStandardPaths::findExecutable(program).isEmpty())
            QSKIP("there is no sound server; Debian's packages are pulseaudio and pulseaudio-utils");
    }
    // Before the first use of Qt Multimedia, which connects once.
    qputenv("HOME", m_folder.path().toUtf8());
    qputenv("XDG_RUNTIME_DIR", m_folder.path().toUtf8());
    qputenv("PULSE_RUNTIME_PATH", m_folder.path().toUtf8());
    qputenv("PULSE_SERVER", "unix:" + m_folder.filePath(QStringLiteral("native")).toUtf8());
    startServer();
}

void TestMicrophoneCapture::cleanupTestCase()
{
    if (m_server.state() == QProcess::NotRunning)
        return;
    m_server.terminate();
    QVERIFY(m_server.waitForFinished());
}

/// With the microphone plugged in.
void TestMicrophoneCapture::startServer()
{
    const QString socket = m_folder.filePath(QStringLiteral("native"));
    QFile::remove(socket);
    QFile::remove(m_folder.filePath(QStringLiteral("pid")));
    m_server.setChildProcessModifier([] { prctl(PR_SET_PDEATHSIG, SIGTERM); }); // not left behind by a crash
    m_server.setStandardErrorFile(m_folder.filePath(QStringLiteral("log")));
    m_server.start(QStringLiteral("pulseaudio"),
                   {QStringLiteral("-n"), QStringLiteral("--daemonize=no"),
                    QStringLiteral("--exit-idle-time=-1"), QStringLiteral("-L"),
                    QStringLiteral("module-null-sink sink_name=cabin"), QStringLiteral("-L"),
                    QStringLiteral("module-native-protocol-unix")});
    QVERIFY(m_server.waitForStarted());
    QTRY_VERIFY(QFileInfo::exists(socket));
    QVERIFY(plugIn());
}

/// The exit status of pactl.
int TestMicrophoneCapture::control(const QStringList &arguments) const
{
    QProcess pactl;
    pactl.setStandardOutputFile(QProcess::nullDevice());
    pactl.start(QStringLiteral("pactl"), arguments);
    return pactl.waitForFinished() ? pactl.exitCode() : -1;
}

bool TestMicrophoneCapture::plugIn() const
{
    return control({QStringLiteral("load-module"), Microphone, QStringLiteral("master=cabin.monitor"),
                    QStringLiteral("source_name=microphone"),
                    QStringLiteral("source_properties=device.description=Microphone")})
           == 0;
}

void TestMicrophoneCapture::isListed()
{
    AudioEngine engine;
    QTRY_COMPARE(engine.inputDevices(), QStringList(QStringLiteral("Microphone")));
    QVERIFY(engine.isAvailable());
}

void TestMicrophoneCapture::hearsWhatIsPlayed()
{
    WavLayout layout;
    layout.rate = 44100;
    QFile file(m_folder.filePath(QStringLiteral("tone.wav")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(wav(layout, pcm16(tone(1000, 44100, 30, 0.25))));
    file.close();
    QProcess player;
    player.start(QStringLiteral("paplay"), {file.fileName()});
    QVERIFY(player.waitForStarted());

    AudioEngine engine;
    QList<float> heard;
    connect(&engine, &AudioEngine::audioDataReady, this, [&heard](const QByteArray &chunk) {
        QList<float> samples(chunk.size() / qsizetype(sizeof(float)));
        std::memcpy(samples.data(), chunk.constData(), size_t(chunk.size()));
        heard += samples;
    });
    engine.captureAudio();
    QCOMPARE(engine.error(), QString());
    QVERIFY(engine.isCapturing());
    QTRY_VERIFY(heard.size() >= 48000);
    // The beginning may be before the first sound.
    const Fit fit = fitTone(1000, 16000, heard.last(16000));
    QVERIFY2(std::abs(decibels(fit.amplitude / 0.25)) < 0.5, qPrintable(QString::number(fit.amplitude)));
    QVERIFY2(decibels(fit.rest / 0.25) < -40,
             qPrintable(QString::number(fit.rest))); // nothing is missing between
    QVERIFY(std::abs(engine.level() - (1 + decibels(0.25 / std::sqrt(2.0)) / 60)) < 0.01);
    player.kill();
    QVERIFY(player.waitForFinished());
}

void TestMicrophoneCapture::stopsAndBeginsAnew()
{
    AudioEngine engine;
    QSignalSpy chunks(&engine, &AudioEngine::audioDataReady);
    for (int round = 0; round < 3; ++round) {
        engine.captureAudio();
        QTRY_VERIFY(chunks.size() >= 2);
        engine.stopCapture();
        chunks.clear();
    }
    QCOMPARE(engine.error(), QString());
}

void TestMicrophoneCapture::goesOnAfterUnplugging()
{
    AudioEngine engine;
    engine.setInputDevice(QStringLiteral("Microphone"));
    QSignalSpy chunks(&engine, &AudioEngine::audioDataReady);
    engine.captureAudio();
    QTRY_VERIFY(!chunks.isEmpty());

    QCOMPARE(control({QStringLiteral("unload-module"), Microphone}), 0);
    QTRY_VERIFY(!engine.isCapturing());
    QVERIFY2(engine.error().contains(QLatin1String("Plug it in")), qPrintable(engine.error()));
    QTRY_VERIFY(!engine.isAvailable());

    QVERIFY(plugIn());
    QTRY_VERIFY(engine.isCapturing());
    QCOMPARE(engine.error(), QString());
    chunks.clear();
    QTRY_VERIFY(!chunks.isEmpty());
}

void TestMicrophoneCapture::survivesTheServer()
{
    AudioEngine engine;
    QSignalSpy chunks(&engine, &AudioEngine::audioDataReady);
    engine.captureAudio();
    QTRY_VERIFY(!chunks.isEmpty());
    m_server.kill();
    QVERIFY(m_server.waitForFinished());
    QTRY_VERIFY(!engine.isCapturing());
    QVERIFY(!engine.error().isEmpty());

    startServer();
    QTRY_VERIFY(engine.isCapturing()); // Qt tries every 3 s
    QCOMPARE(engine.error(), QString());
    chunks.clear();
    QTRY_VERIFY(!chunks.isEmpty());
}

QTEST_GUILESS_MAIN(TestMicrophoneCapture)
#include "test_microphonecapture.moc"
