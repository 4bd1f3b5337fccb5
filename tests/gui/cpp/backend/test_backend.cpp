// The GUI's networking against the real backend. RTAP_COMMAND says how to start it.

#include "backend/networkmanager.h"
#include "backend/rtapprocess.h"
#include "screen/conversation.h"
#include "soon.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSignalSpy>
#include <QtEndian>
#include <QTest>
#include <QTimer>

#include <memory>

using State = NetworkManager::BackendState;

namespace {

/// Within which the driver is told that the backend is gone: 2 s, and more where other programs have the
/// processor.
constexpr int NoticeMs = 10'000;
constexpr qsizetype ChunkBytes = 1600 * 4;

QString recording(const QString &name)
{
    return QFINDTESTDATA("../../../audio/" + name + ".wav");
}

QByteArray fileContent(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// As AudioEngine hands it over: 32-bit floats. The recordings have a header of 44 bytes and 16 kHz.
QByteArray samplesOf(const QString &name)
{
    const QByteArray wav = fileContent(recording(name));
    QByteArray samples;
    for (qsizetype at = 44; at + 1 < wav.size(); at += 2) {
        const float sample = float(qFromLittleEndian<qint16>(wav.constData() + at)) / 32768;
        samples.append(reinterpret_cast<const char *>(&sample), sizeof sample);
    }
    return samples;
}

/// The recording after some seconds of silence.
void writeDelayed(const QString &name, int seconds, const QString &path)
{
    QByteArray wav = fileContent(recording(name));
    wav.insert(44, QByteArray(seconds * 16000 * 2, '\0'));
    qToLittleEndian<quint32>(quint32(wav.size() - 8), wav.data() + 4);
    qToLittleEndian<quint32>(quint32(wav.size() - 44), wav.data() + 40);
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(wav) != wav.size())
        qFatal("%s cannot be written", qPrintable(path));
}

/// The bundled model under another name.
void copyModel(const QString &into, const QString &name)
{
    const QDir source(QFINDTESTDATA("../../../../backend/rtap/models/cabin-en"));
    const QDir target(into + '/' + name);
    target.mkpath(".");
    for (const QString &file : source.entryList(QDir::Files))
        QFile::copy(source.filePath(file), target.filePath(file));
    QFile manifest(target.filePath("manifest.json"));
    QJsonObject content = QJsonDocument::fromJson(fileContent(manifest.fileName())).object();
    content["name"] = name;
    manifest.setPermissions(QFile::ReadOwner | QFile::WriteOwner);
    if (!manifest.open(QIODevice::WriteOnly) || manifest.write(QJsonDocument(content).toJson()) < 0)
        qFatal("the manifest cannot be written");
}

} // namespace

class TestBackend : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase();
    void init();
    void cleanup();
    void cleanupTestCase();

    void aBackendThatStartsLaterIsFound();
    void aCommandGrowsWhileItIsSpoken_data();
    void aCommandGrowsWhileItIsSpoken();
    void aTapIsEnough();
    void filesAreTranscribed();
    void errorsAreSentences();
    void aBackendWithoutMicrophoneSaysSo();
    void anotherModelIsLoaded();
    void aKilledBackendIsNoticedAndUsedAgain();
    void aStoppedBackendIsNoticedAndUsedAgain();
    void theApiKeyIsNeeded();
    void handsFreeIsFollowed();
    void theMicrophoneIsSwitched();

private:
    void use(const RtapProcess &backend);

    std::unique_ptr<RtapProcess> m_shared; ///< without a microphone
    std::unique_ptr<NetworkManager> m_network;
};

void TestBackend::initTestCase()
{
    if (RtapProcess::command().isEmpty())
        QSKIP("set RTAP_COMMAND to the backend's command, such as .venv/bin/rtap");
    m_shared = std::make_unique<RtapProcess>();
    copyModel(m_shared->modelsDirectory(), "another");
}

void TestBackend::init()
{
    m_shared->start(); // the test before may have ended it
    m_network = std::make_unique<NetworkManager>();
}

void TestBackend::cleanup()
{
    m_network.reset();
    if (QTest::currentTestFailed())
        qWarning().noquote() << m_shared->log();
}

void TestBackend::cleanupTestCase()
{
    m_shared.reset();
}

/// Until it is ready.
void TestBackend::use(const RtapProcess &backend)
{
    m_network->setBackendUrl(backend.url());
    m_network->setEventsPort(backend.eventsPort());
    QSignalSpy states(m_network.get(), &NetworkManager::pipelineStateChanged);
    m_network->setActive(true);
    QTRY_COMPARE(m_network->backendState(), State::Ready);
    QTRY_VERIFY(!states.isEmpty()); // of the snapshot on the events' port
}

void TestBackend::aBackendThatStartsLaterIsFound()
{
    RtapProcess backend;
    m_network->setBackendUrl(backend.url());
    m_network->setEventsPort(backend.eventsPort());
    QSignalSpy checks(m_network.get(), &NetworkManager::healthCheckResult);
    m_network->setActive(true);
    QVERIFY(checks.wait(SoonMs));
    QCOMPARE(m_network->backendState(), State::Starting);
    QVERIFY(!m_network->backendMessage().isEmpty());
    backend.start();
    QTRY_COMPARE(m_network->backendState(), State::Ready);
    QCOMPARE(m_network->modelName(), "cabin-en");
    QTRY_COMPARE(m_network->models(), QStringList("cabin-en"));
    QVERIFY(m_network->languages().contains("en"));
    QVERIFY(!m_network->backendVersion().isEmpty());
}

void TestBackend::aCommandGrowsWhileItIsSpoken_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("words");
    QTest::addColumn<QString>("answer");
    QTest::newRow("long") << "set_the_temperature"
                          << "set the temperature to twenty one degrees"
                          << "The temperature is 21 degrees.";
    QTest::newRow("short") << "turn_on_the_heating"
                           << "turn on the heating"
                           << "The climate control is on.";
}

void TestBackend::aCommandGrowsWhileItIsSpoken()
{
    QFETCH(QString, name);
    QFETCH(QString, words);
    QFETCH(QString, answer);
    use(*m_shared);
    QSignalSpy speech(m_network.get(), &NetworkManager::speechStarted);
    QSignalSpy finals(m_network.get(), &NetworkManager::finalTranscription);
    QSignalSpy answers(m_network.get(), &NetworkManager::answered);
    QSignalSpy ended(m_network.get(), &NetworkManager::streamEnded);
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    QStringList partials;
    bool isSpoken = false;
    connect(m_network.get(), &NetworkManager::partialTranscription, this, [&](const QString &text) {
        QVERIFY(!isSpoken || finals.isEmpty());
        partials.append(text);
    });

    const QByteArray samples = samplesOf(name) + QByteArray(10 * ChunkBytes, '\0');
    m_network->connectWebSocket("en");
    qsizetype sent = 0;
    QTimer clock;
    connect(&clock, &QTimer::timeout, this, [&] {
        m_network->sendAudioChunk(samples.mid(sent, ChunkBytes));
        sent += ChunkBytes;
        if (sent < samples.size())
            return;
        isSpoken = true;
        clock.stop();
        m_network->endStream();
    });
    clock.start(100); // real time
    QTRY_COMPARE(ended.size(), 1);
    QCOMPARE(errors.size(), 0);
    QCOMPARE(speech.size(), 1);
    QCOMPARE(finals.size(), 1);
    QCOMPARE(finals.first().at(0).toString(), words);
    QCOMPARE(finals.first().at(1).toString(), "en");
    QVERIFY(finals.first().at(2).toDouble() > 0);
    QCOMPARE(answers.size(), 1);
    QCOMPARE(answers.first(), QVariantList({answer, "done", finals.first().at(3)}));
    QVERIFY(!partials.isEmpty());
    for (const QString &partial : std::as_const(partials))
        QVERIFY2(words.startsWith(partial), qPrintable(partial));
}

void TestBackend::aTapIsEnough()
{
    AudioEngine audio;
    audio.setSourceFile(recording("set_the_temperature")); // and silence behind it
    TranscriptionModel history;
    Conversation conversation;
    conversation.setAudio(&audio);
    conversation.setNetwork(m_network.get());
    conversation.setHistory(&history);
    conversation.setLanguage("en");
    use(*m_shared);
    QVERIFY(conversation.canTalk());
    QStringList partials;
    connect(&conversation, &Conversation::partialTextChanged, this,
            [&] { partials.append(conversation.partialText()); });
    conversation.toggle();
    QCOMPARE(conversation.state(), Conversation::State::Tapped);
    QTRY_COMPARE(conversation.state(), Conversation::State::Idle);
    QCOMPARE(conversation.finalText(), "set the temperature to twenty one degrees");
    QCOMPARE(conversation.answer(), "The temperature is 21 degrees.");
    QCOMPARE(conversation.earcon(), "done");
    QCOMPARE(history.count(), 1);
    QVERIFY(partials.size() > 1);
    QCOMPARE(partials.last(), "");
}

void TestBackend::filesAreTranscribed()
{
    use(*m_shared);
    QSignalSpy received(m_network.get(), &NetworkManager::transcriptionReceived);
    m_network->transcribeFile(recording("navigate_home"), "en");
    QVERIFY(received.wait(SoonMs));
    QCOMPARE(received.first().at(0).toString(), "navigate home");
    QCOMPARE(received.first().at(1).toString(), "en");
    QVERIFY(received.first().at(2).toDouble() > 0.5); // the audio's length
    QVERIFY(received.first().at(3).toDouble() > 0);
    QVERIFY(received.first().at(4).toDouble() >= received.first().at(3).toDouble());
    received.clear();
    m_network->transcribeBase64(fileContent(recording("turn_on_the_heating")));
    QVERIFY(received.wait(SoonMs));
    QCOMPARE(received.first().at(0).toString(), "turn on the heating");
}

void TestBackend::errorsAreSentences()
{
    use(*m_shared);
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    m_network->transcribeBase64("this is no sound at all");
    QVERIFY(errors.wait(SoonMs));
    m_network->transcribeFile(recording("navigate_home"), "klingon");
    QTRY_COMPARE(errors.size(), 2);
    m_network->loadModel("no-such-model");
    QTRY_COMPARE(errors.size(), 3);
    QSignalSpy ended(m_network.get(), &NetworkManager::streamEnded);
    m_network->connectWebSocket("klingon");
    QTRY_COMPARE(ended.size(), 1);
    QCOMPARE(errors.size(), 4);
    for (const QVariantList &error : std::as_const(errors)) {
        for (const QVariant &sentence : error) {
            const QString text = sentence.toString();
            QVERIFY2(!text.isEmpty() && text.at(0).isUpper() && text.endsWith('.'), qPrintable(text));
            QVERIFY2(!text.contains("Error") && !text.contains("Traceback"), qPrintable(text));
        }
    }
    QVERIFY2(errors.at(2).first().toString().contains("no-such-model"),
             qPrintable(errors.at(2).first().toString()));
}

void TestBackend::aBackendWithoutMicrophoneSaysSo()
{
    use(*m_shared);
    QVERIFY(!m_network->canListen());
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    m_network->setListening(true);
    QVERIFY(errors.wait(SoonMs));
    QVERIFY2(errors.first().first().toString().contains("microphone"),
             qPrintable(errors.first().first().toString()));
    QVERIFY(!m_network->isListening());
}

void TestBackend::anotherModelIsLoaded()
{
    use(*m_shared);
    QTRY_VERIFY(m_network->models().contains("another"));
    m_network->loadModel("another");
    QTRY_COMPARE(m_network->modelName(), "another");
    QTRY_COMPARE(m_network->backendState(), State::Ready);
    m_network->loadModel("cabin-en");
    QTRY_COMPARE(m_network->modelName(), "cabin-en");
    QTRY_COMPARE(m_network->backendState(), State::Ready);
    QCOMPARE(m_network->models().size(), 2);
}

void TestBackend::aKilledBackendIsNoticedAndUsedAgain()
{
    use(*m_shared);
    QSignalSpy ended(m_network.get(), &NetworkManager::streamEnded);
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    QSignalSpy connected(m_network.get(), &NetworkManager::webSocketConnected);
    m_network->connectWebSocket("en");
    QVERIFY(connected.wait(SoonMs));
    QElapsedTimer sinceDeath;
    sinceDeath.start();
    m_shared->kill();
    QTRY_COMPARE(m_network->backendState(), State::Lost);
    const qint64 noticed = sinceDeath.elapsed();
    qInfo() << "noticed after" << noticed << "ms";
    QVERIFY(noticed < NoticeMs);
    QCOMPARE(ended.size(), 1);
    QCOMPARE(errors.size(), 1);

    QSignalSpy states(m_network.get(), &NetworkManager::pipelineStateChanged);
    m_shared->start();
    QTRY_COMPARE(m_network->backendState(), State::Ready);
    QTRY_COMPARE(states.size(), 1); // the events are followed again
    QSignalSpy received(m_network.get(), &NetworkManager::transcriptionReceived);
    m_network->transcribeFile(recording("navigate_home"));
    QVERIFY(received.wait(SoonMs));
}

void TestBackend::aStoppedBackendIsNoticedAndUsedAgain()
{
    use(*m_shared);
    QSignalSpy states(m_network.get(), &NetworkManager::pipelineStateChanged);
    QElapsedTimer sinceStop;
    sinceStop.start();
    m_shared->pause();
    QTRY_COMPARE(m_network->backendState(), State::Lost);
    const qint64 noticed = sinceStop.elapsed();
    m_shared->resume();
    qInfo() << "noticed after" << noticed << "ms";
    QVERIFY(noticed < NoticeMs);
    QTRY_COMPARE(m_network->backendState(), State::Ready);
    QTRY_COMPARE(states.size(), 1);
}

void TestBackend::theApiKeyIsNeeded()
{
    RtapProcess backend("{source: none}", "open sesame");
    backend.start();
    m_network->setBackendUrl(backend.url());
    m_network->setEventsPort(backend.eventsPort());
    m_network->setApiKey("open barley");
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    m_network->setActive(true);
    QTRY_COMPARE(m_network->backendState(), State::Failed);
    QVERIFY(m_network->backendMessage().contains("API key"));
    m_network->transcribeFile(recording("navigate_home"));
    QVERIFY(errors.wait(SoonMs));
    QCOMPARE(errors.first().at(1).toString(), "Enter the API key in the settings.");
    QSignalSpy ended(m_network.get(), &NetworkManager::streamEnded);
    m_network->connectWebSocket();
    QVERIFY(ended.wait(SoonMs));
    QCOMPARE(errors.size(), 2);

    QSignalSpy states(m_network.get(), &NetworkManager::pipelineStateChanged);
    m_network->setApiKey("open sesame");
    QTRY_COMPARE(m_network->backendState(), State::Ready);
    QTRY_COMPARE(states.size(), 1); // so the events' port let it in
    QSignalSpy connected(m_network.get(), &NetworkManager::webSocketConnected);
    m_network->connectWebSocket();
    QVERIFY(connected.wait(SoonMs));
    QCOMPARE(errors.size(), 2);
}

void TestBackend::handsFreeIsFollowed()
{
    QTemporaryDir place;
    const QString file = place.filePath("speech.wav");
    writeDelayed("wake_word/hey_mycroft_set_the_temperature", 8, file);
    RtapProcess backend("{source: file, file: " + file + "}");
    backend.start();
    AudioEngine audio;
    TranscriptionModel history;
    Conversation conversation;
    conversation.setAudio(&audio);
    conversation.setNetwork(m_network.get());
    conversation.setHistory(&history);
    conversation.setHandsFree(true);
    use(backend);
    QTRY_VERIFY(m_network->isListening());
    QSignalSpy wakeWords(m_network.get(), &NetworkManager::wakeWordDetected);
    QList<Conversation::State> states;
    connect(&conversation, &Conversation::stateChanged, this, [&] { states.append(conversation.state()); });
    QString partial;
    connect(&conversation, &Conversation::partialTextChanged, this,
            [&] { partial = conversation.partialText().isEmpty() ? partial : conversation.partialText(); });
    QTRY_COMPARE(history.count(), 1);
    QCOMPARE(wakeWords.size(), 1);
    QVERIFY2(conversation.finalText().endsWith("set the temperature to twenty one degrees"),
             qPrintable(conversation.finalText()));
    QVERIFY(!partial.isEmpty());
    QTRY_COMPARE(conversation.answer(), "The temperature is 21 degrees.");
    QCOMPARE(states,
             QList<Conversation::State>({Conversation::State::HandsFree, Conversation::State::HandsFreeSent,
                                         Conversation::State::Idle}));
}

void TestBackend::theMicrophoneIsSwitched()
{
    RtapProcess backend("{source: mock}");
    backend.start();
    use(backend);
    QTRY_VERIFY(m_network->canListen());
    QVERIFY(m_network->isListening());
    NetworkManager other; // which hears of it by an event
    QSignalSpy states(&other, &NetworkManager::pipelineStateChanged);
    other.setBackendUrl(backend.url());
    other.setEventsPort(backend.eventsPort());
    other.setActive(true);
    QTRY_VERIFY(!states.isEmpty());
    QTRY_VERIFY(other.isListening());
    for (const bool enabled : {false, true}) {
        m_network->setListening(enabled);
        QTRY_COMPARE(m_network->isListening(), enabled);
        QTRY_COMPARE(other.isListening(), enabled);
    }
}

QTEST_GUILESS_MAIN(TestBackend)
#include "test_backend.moc"
