#include "backend/fakebackend.h"
#include "backend/networkmanager.h"
#include "soon.h"

#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QUrlQuery>
#include <QWebSocket>

#include <memory>

using namespace std::chrono_literals;
using State = NetworkManager::BackendState;

namespace {

QJsonObject jsonOf(const QByteArray &text)
{
    return QJsonDocument::fromJson(text).object();
}

FakeBackend::Answer failure(int status, const QByteArray &code, const QByteArray &message,
                            const QByteArray &headers = {})
{
    return {status,
            R"({"error":{"code":")" + code + R"(","message":")" + message + R"(","request_id":"5f0c"}})",
            headers, false};
}

/// 100 ms of samples that tell which chunk they belong to.
QByteArray chunk(char number)
{
    return QByteArray(6400, number);
}

} // namespace

class TestNetworkManager : public QObject
{
    Q_OBJECT

private slots:
    void init();
    void cleanup();

    void isNotConnectedUntilActive();
    void readsWhatTheBackendIs();
    void aModelOfFewWordsIsNoticed();
    void waitsForABackendThatStartsLater();
    void saysWhichAddressIsSilent();
    void showsThatTheModelLoads();
    void failedSaysWhy();
    void aStrangerIsNotTheBackend();
    void noticesDeathAndReturn();
    void noticesAHangAndItsEnd();
    void slowHealthIsNoDeath();
    void checkHealthTells();
    void anotherAddressIsAnotherBackend();

    void sendsTheKeyEverywhere();
    void aWrongKeyIsAStateAndAnotherKeyMendsIt();

    void uploadsAFile();
    void uploadsBase64();
    void aFileThatIsNotThereIsAnError();
    void errorRepliesBecomeSentences_data();
    void errorRepliesBecomeSentences();
    void refusedConnectionIsAnError();
    void silenceIsAnError();
    void requestsEndWithTheBackend();

    void streamsAudioAndText();
    void keepsAudioUntilConnected();
    void allStreamsAreOneConversation();
    void handsFreeIsTheSameConversation();
    void keepsThirtySecondsAtMost();
    void endWaitsForTheConnection();
    void endIsNotAwaitedForever();
    void whatComesOfACommandHasMoreTimeThanItsText();
    void abruptLossEndsTheStreamOnce();
    void aRefusedStreamEndsOnce();
    void anErrorOnTheStreamIsASentence();
    void anErrorBeforeTheCloseIsToldOnce();
    void disconnectingEndsWithoutFinals();
    void aHungBackendEndsTheStream();

    void followsTheMicrophoneOnly();
    void toleratesWhatItDoesNotKnow();
    void errorEventsShowNoInternals();
    void connectsToTheEventsAgain();

    void switchesListening();
    void knowsTheWakeWord();
    void tellsHowLoudItIs();
    void knowsOfTheMicrophoneWithoutEvents();
    void aBackendWithoutMicrophoneSaysSo();
    void anOlderBackendHasOneModelAndNoSwitch();
    void loadsAnotherModel();
    void aModelThatDoesNotExistIsAnError();
    void aModelThatCannotBeLoadedIsAnError();

    void mayBeDestroyedAtAnyTime();

private:
    void becomeReady();
    void openStream();

    std::unique_ptr<FakeBackend> m_backend;
    std::unique_ptr<NetworkManager> m_network;
};

void TestNetworkManager::init()
{
    m_backend = std::make_unique<FakeBackend>();
    m_network = std::make_unique<NetworkManager>();
    m_network->setBackendUrl(m_backend->url());
    m_network->setEventsPort(m_backend->eventsPort());
}

void TestNetworkManager::cleanup()
{
    m_network.reset();
    m_backend.reset();
}

void TestNetworkManager::becomeReady()
{
    QSignalSpy states(m_network.get(), &NetworkManager::pipelineStateChanged);
    m_backend->start();
    m_network->setActive(true);
    QTRY_COMPARE(m_network->backendState(), State::Ready);
    QTRY_COMPARE(states.size(), 1); // of the snapshot
    QTRY_COMPARE(m_backend->count("GET /v1/models"), 1);
}

/// Until both sides know of it.
void TestNetworkManager::openStream()
{
    QSignalSpy connected(m_network.get(), &NetworkManager::webSocketConnected);
    m_network->connectWebSocket();
    QVERIFY(connected.wait(SoonMs));
    QTRY_VERIFY(m_backend->stream() != nullptr);
}

// ---- the backend's state

void TestNetworkManager::isNotConnectedUntilActive()
{
    m_backend->start();
    QSignalSpy changes(m_network.get(), &NetworkManager::backendStateChanged);
    QVERIFY(!changes.wait(1200));
    QCOMPARE(m_backend->count("GET /health"), 0);
    QVERIFY(!m_network->isConnected());
}

void TestNetworkManager::readsWhatTheBackendIs()
{
    becomeReady();
    QVERIFY(m_network->isConnected());
    QCOMPARE(m_network->backendMessage(), QString());
    QCOMPARE(m_network->backendVersion(), "9.9");
    QCOMPARE(m_network->modelName(), "cabin-en");
    QVERIFY(!m_network->modelIsSmall());
    QCOMPARE(m_network->languages(), QStringList({"de", "en"}));
    QTRY_COMPARE(m_network->models(), QStringList({"cabin-en", "tiny"}));
    QTRY_VERIFY(m_network->canListen());
    QVERIFY(m_network->isListening());
    QCOMPARE(m_backend->eventsCount(), 1);
}

void TestNetworkManager::aModelOfFewWordsIsNoticed()
{
    const auto body = R"({"model_name":"cabin-en","version":"9.9","languages":["en"],"warning":"few words"})";
    m_backend->answer("GET /model/info", {200, body, {}, false});
    becomeReady();
    QVERIFY(m_network->modelIsSmall());
}

void TestNetworkManager::waitsForABackendThatStartsLater()
{
    m_network->setActive(true);
    QSignalSpy checks(m_network.get(), &NetworkManager::healthCheckResult);
    QVERIFY(checks.wait(SoonMs));
    QCOMPARE(checks.first().first().toBool(), false);
    QCOMPARE(m_network->backendState(), State::Starting);
    QCOMPARE(m_network->backendMessage(), "The assistant is starting.");
    m_backend->start();
    QTRY_COMPARE(m_network->backendState(), State::Ready);
}

void TestNetworkManager::saysWhichAddressIsSilent()
{
    m_network->setStartPatience(100ms);
    m_network->setActive(true);
    QCOMPARE(m_network->backendMessage(), "The assistant is starting.");
    QTRY_VERIFY(m_network->backendMessage().contains(m_backend->url()));
    QCOMPARE(m_network->backendState(), State::Starting);
}

void TestNetworkManager::showsThatTheModelLoads()
{
    m_backend->setHealth(503, "loading model");
    m_backend->start();
    m_network->setActive(true);
    QTRY_COMPARE(m_network->backendMessage(), "The assistant is loading its speech model.");
    QCOMPARE(m_network->backendState(), State::Starting);
    m_backend->setHealth(200);
    QTRY_COMPARE(m_network->backendState(), State::Ready);

    // Another model, loaded later: what is known of the old one does not hold.
    m_backend->setHealth(503, "loading model");
    QTRY_COMPARE(m_network->backendState(), State::Starting);
    m_backend->answer("GET /model/info",
                      {200, R"({"model_name":"tiny","version":"9.9","languages":["en"]})", {}, false});
    m_backend->setHealth(200);
    QTRY_COMPARE(m_network->backendState(), State::Ready);
    QCOMPARE(m_network->modelName(), "tiny");
}

void TestNetworkManager::failedSaysWhy()
{
    m_backend->setHealth(503, "no model directory: run rtap doctor");
    m_backend->start();
    m_network->setActive(true);
    QTRY_COMPARE(m_network->backendState(), State::Failed);
    QCOMPARE(m_network->backendMessage(), "No model directory: run rtap doctor.");
}

void TestNetworkManager::aStrangerIsNotTheBackend()
{
    m_backend->answer("GET /health", {200, "<html>It works!</html>", {}, false});
    m_backend->start();
    m_network->setActive(true);
    QTRY_COMPARE(m_network->backendState(), State::Failed);
    QVERIFY(!m_network->backendMessage().isEmpty());
    QVERIFY(!m_network->backendMessage().contains('<'));
}

void TestNetworkManager::noticesDeathAndReturn()
{
    becomeReady();
    m_backend->stop();
    QTRY_COMPARE(m_network->backendState(), State::Lost);
    QVERIFY(!m_network->backendMessage().isEmpty());
    QVERIFY(!m_network->canListen());
    QCOMPARE(m_network->modelName(), "cabin-en");

    m_backend->answer("GET /model/info",
                      {200, R"({"model_name":"tiny","version":"10","languages":["en"]})", {}, false});
    m_backend->start();
    QTRY_COMPARE(m_network->backendState(), State::Ready);
    QCOMPARE(m_network->modelName(), "tiny");
    QTRY_COMPARE(m_backend->eventsCount(), 2);
    QTRY_VERIFY(m_network->canListen());
}

void TestNetworkManager::noticesAHangAndItsEnd()
{
    becomeReady();
    QElapsedTimer sinceHang;
    sinceHang.start();
    m_backend->setHanging(true);
    QTRY_COMPARE(m_network->backendState(), State::Lost);
    QVERIFY2(sinceHang.elapsed() < 10'000, qPrintable(QString::number(sinceHang.elapsed())));
    m_backend->setHanging(false);
    QTRY_COMPARE(m_network->backendState(), State::Ready);
    QTRY_COMPARE(m_backend->eventsCount(), 2);
}

void TestNetworkManager::slowHealthIsNoDeath()
{
    becomeReady();
    FakeBackend::Answer silence;
    silence.isHeld = true;
    m_backend->answer("GET /health", silence);
    QSignalSpy changes(m_network.get(), &NetworkManager::backendStateChanged);
    QVERIFY(!changes.wait(3500));
    QVERIFY(m_backend->count("GET /") >= 2);
}

void TestNetworkManager::checkHealthTells()
{
    QSignalSpy checks(m_network.get(), &NetworkManager::healthCheckResult);
    m_network->checkHealth();
    QVERIFY(checks.wait(SoonMs));
    QCOMPARE(checks.takeFirst().first().toBool(), false);
    m_backend->start();
    m_network->checkHealth();
    QVERIFY(checks.wait(SoonMs));
    QCOMPARE(checks.takeFirst().first().toBool(), true);
    QCOMPARE(m_network->backendState(), State::Starting); // for it is not active
}

void TestNetworkManager::anotherAddressIsAnotherBackend()
{
    becomeReady();
    FakeBackend other;
    other.answer("GET /model/info",
                 {200, R"({"model_name":"other","version":"1","languages":[]})", {}, false});
    m_network->setEventsPort(other.eventsPort());
    m_network->setBackendUrl(other.url() + "/");
    QCOMPARE(m_network->backendUrl(), other.url());
    QCOMPARE(m_network->backendState(), State::Starting);
    other.start();
    QTRY_COMPARE(m_network->backendState(), State::Ready);
    QCOMPARE(m_network->modelName(), "other");
    QTRY_COMPARE(other.eventsCount(), 1);
}

// ---- the API key

void TestNetworkManager::sendsTheKeyEverywhere()
{
    m_network->setApiKey(" se\ncret ");
    becomeReady();
    m_network->connectWebSocket();
    QTRY_COMPARE(m_backend->streamCount(), 1);
    const QByteArray expected = "Bearer se cret";
    QCOMPARE(m_backend->requests("GET /model/info").first().headers.value("authorization"), expected);
    QCOMPARE(m_backend->streamRequest().headers.value("authorization"), expected);
    QCOMPARE(m_backend->eventsRequest().headers.value("authorization"), expected);
}

void TestNetworkManager::aWrongKeyIsAStateAndAnotherKeyMendsIt()
{
    const auto info =
        FakeBackend::Answer{200, R"({"model_name":"cabin-en","version":"9.9","languages":[]})", {}, false};
    m_backend->answer("GET /model/info",
                      failure(401, "unauthorized", "this service wants an API key: send it as ...",
                              "WWW-Authenticate: Bearer\r\n"));
    m_backend->start();
    m_network->setActive(true);
    QTRY_COMPARE(m_network->backendState(), State::Failed);
    QVERIFY(m_network->backendMessage().contains("Enter it in the settings"));
    m_backend->answer("GET /model/info", info);
    m_network->setApiKey("right");
    QTRY_COMPARE(m_network->backendState(), State::Ready);
    QCOMPARE(m_backend->requests("GET /model/info").last().headers.value("authorization"), "Bearer right");
}

// ---- REST

void TestNetworkManager::uploadsAFile()
{
    QTemporaryDir place;
    QFile file(place.filePath("a \"name\".wav"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    const QByteArray audio = QByteArray("RIFF\r\n--\0\xff", 10).repeated(30000);
    file.write(audio);
    file.close();
    m_backend->answer("POST /transcribe", {200,
                                           R"({"text":"navigate home","language":"en","duration":1.5,
                                               "inference_time":0.25,"total_time":0.5,"rtf":0.1})",
                                           {},
                                           false});
    m_backend->start();
    QSignalSpy received(m_network.get(), &NetworkManager::transcriptionReceived);
    m_network->transcribeFile(file.fileName(), "de");
    QVERIFY(received.wait(SoonMs));
    QCOMPARE(received.first(), QVariantList({"navigate home", "en", 1.5, 0.25, 0.5}));

    const FakeBackend::Request request = m_backend->requests("POST /transcribe").first();
    QVERIFY(request.headers.value("content-type").startsWith("multipart/form-data"));
    QVERIFY(request.body.contains("name=\"audio_file\"; filename=\"audio.wav\""));
    QVERIFY(request.body.contains("\r\n\r\n" + audio + "\r\n--"));
    QVERIFY(request.body.contains("name=\"language\"\r\n\r\nde\r\n"));
}

void TestNetworkManager::uploadsBase64()
{
    m_backend->answer("POST /transcribe/base64",
                      {200, R"({"text":"yes","language":null,"duration":1})", {}, false});
    m_backend->start();
    QSignalSpy received(m_network.get(), &NetworkManager::transcriptionReceived);
    m_network->transcribeBase64("RIFF\xff");
    QVERIFY(received.wait(SoonMs));
    QCOMPARE(received.first().at(0).toString(), "yes");
    QCOMPARE(received.first().at(1).toString(), "");
    const QJsonObject body = jsonOf(m_backend->requests("POST /transcribe/base64").first().body);
    QCOMPARE(QByteArray::fromBase64(body.value("audio_base64").toString().toLatin1()), "RIFF\xff");
    QVERIFY(!body.contains("language"));
}

void TestNetworkManager::aFileThatIsNotThereIsAnError()
{
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    m_network->transcribeFile("/nowhere/at all.wav");
    QCOMPARE(errors.size(), 1);
    QCOMPARE(errors.first().first().toString(), "The file at all.wav cannot be read.");
}

void TestNetworkManager::errorRepliesBecomeSentences_data()
{
    QTest::addColumn<FakeBackend::Answer>("answer");
    QTest::addColumn<QString>("error");
    QTest::addColumn<QString>("wayOut");

    QTest::newRow("the server's message is split where the remedy begins")
        << failure(413, "too_long", "the audio is 700 s long: send at most 600 s at a time")
        << "The audio is 700 s long."
        << "Send at most 600 s at a time.";
    QTest::newRow("a message without a remedy")
        << failure(400, "bad_audio", "the upload is empty (0 bytes)") << "The upload is empty (0 bytes)."
        << "Try again.";
    QTest::newRow("a field's name is not what happened")
        << failure(422, "bad_field", "audio_file: missing, send the audio in this field")
        << "Audio_file: missing, send the audio in this field."
        << "Try again.";
    QTest::newRow("401") << failure(401, "unauthorized", "send Authorization: Bearer KEY",
                                    "WWW-Authenticate: Bearer\r\n")
                         << "The assistant wants an API key."
                         << "Enter the API key in the settings.";
    QTest::newRow("429") << failure(429, "queue_full", "16 files wait already: send it again in 12 s",
                                    "Retry-After: 12\r\n")
                         << "The assistant is busy."
                         << "Try again in 12 s.";
    QTest::newRow("429 without a time")
        << failure(429, "queue_full", "16 files wait already") << "The assistant is busy."
        << "Try again in a moment.";
    QTest::newRow("503 under load") << failure(
        503, "overloaded", "more is said than can be understood in time: try again in 5 s",
        "Retry-After: 5\r\n") << "The assistant is busy."
                                    << "Try again in 5 s.";
    QTest::newRow("503 for a while") << failure(
        503, "not_ready", "the speech model is being loaded: try again in a few seconds",
        "Retry-After: 5\r\n") << "The assistant is not ready yet."
                                     << "Try again in a moment.";
    QTest::newRow("503 for good") << failure(503, "not_ready", "no model tiny: run rtap models list")
                                  << "No model tiny."
                                  << "Run rtap models list.";
    QTest::newRow("500") << failure(500, "internal_error",
                                    "the service failed at this request: try again; its log says more")
                         << "The assistant failed."
                         << "Try again.";
    QTest::newRow("500 that is not ours")
        << FakeBackend::Answer{500, "Traceback (most recent call last):\n  File", {}, false}
        << "The assistant failed."
        << "Try again.";
    QTest::newRow("an unknown path") << failure(404, "not_found",
                                                "there is nothing at /transcribe/base64: see /openapi.json")
                                     << "The assistant does not know how to do this."
                                     << "Update its backend, or check the backend's address in the settings.";
    QTest::newRow("200 that is not ours")
        << FakeBackend::Answer{200, "<html>", {}, false} << "Something else answers in the assistant's place."
        << "Check the backend's address in the settings.";
}

void TestNetworkManager::errorRepliesBecomeSentences()
{
    QFETCH(FakeBackend::Answer, answer);
    m_backend->answer("POST /transcribe/base64", answer);
    m_backend->start();
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    m_network->transcribeBase64("RIFF");
    QVERIFY(errors.wait(SoonMs));
    QTEST(errors.first().at(0).toString(), "error");
    QTEST(errors.first().at(1).toString(), "wayOut");
    QCOMPARE(errors.size(), 1);
}

void TestNetworkManager::refusedConnectionIsAnError()
{
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    m_network->transcribeBase64("RIFF");
    QVERIFY(errors.wait(SoonMs));
    QCOMPARE(errors.first().at(0).toString(), "The assistant cannot be reached.");
    QVERIFY(!errors.first().at(1).toString().isEmpty());
}

void TestNetworkManager::silenceIsAnError()
{
    FakeBackend::Answer silence;
    silence.isHeld = true;
    m_backend->answer("PUT /listening", silence);
    m_backend->start();
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    m_network->setListening(true);
    QVERIFY(errors.wait(SoonMs));
    QCOMPARE(errors.first().at(0).toString(), "The assistant did not answer in time.");
}

void TestNetworkManager::requestsEndWithTheBackend()
{
    FakeBackend::Answer silence;
    silence.isHeld = true;
    m_backend->answer("POST /transcribe/base64", silence);
    becomeReady();
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    m_network->transcribeBase64("RIFF");
    QTRY_COMPARE(m_backend->count("POST /transcribe/base64"), 1);
    m_backend->setHanging(true);
    QVERIFY(errors.wait(SoonMs));
    QCOMPARE(errors.first().at(0).toString(), "The connection to the assistant was lost.");
    QCOMPARE(m_network->backendState(), State::Lost);
}

// ---- /stream

void TestNetworkManager::streamsAudioAndText()
{
    m_backend->start();
    QSignalSpy connected(m_network.get(), &NetworkManager::webSocketConnected);
    QSignalSpy disconnected(m_network.get(), &NetworkManager::webSocketDisconnected);
    QSignalSpy speech(m_network.get(), &NetworkManager::speechStarted);
    QSignalSpy partials(m_network.get(), &NetworkManager::partialTranscription);
    QSignalSpy finals(m_network.get(), &NetworkManager::finalTranscription);
    QSignalSpy answers(m_network.get(), &NetworkManager::answered);
    QSignalSpy ended(m_network.get(), &NetworkManager::streamEnded);
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    m_network->connectWebSocket("de");
    QVERIFY(connected.wait(SoonMs));
    QTRY_COMPARE(m_backend->streamCount(), 1);
    QCOMPARE(m_backend->streamRequest().target.path(), "/stream");
    const QUrlQuery query(m_backend->streamRequest().target);
    QCOMPARE(query.queryItemValue("language"), "de");
    QCOMPARE(query.queryItemValue("intents"), "execute");

    m_network->sendAudioChunk(chunk(1));
    m_network->sendAudioChunk(chunk(2));
    QTRY_COMPARE(m_backend->audio(), chunk(1) + chunk(2));
    m_backend->sendToStream({{"type", "speech_started"}});
    m_backend->sendToStream({{"type", "partial"}, {"text", "navigate"}});
    m_network->endStream();
    QTRY_COMPARE(m_backend->streamMessages(), QStringList(R"({"type":"end"})"));
    m_network->sendAudioChunk(chunk(3)); // too late
    m_backend->sendFinal("navigate home", 0.5, "f3a9-1");
    m_backend->sendToStream({{"type", "intent"}, {"text", "navigate home"}, {"utterance_id", "f3a9-1"}});
    m_backend->sendToStream({{"type", "action"}, {"outcome", "done"}, {"utterance_id", "f3a9-1"}});
    m_backend->sendAnswer("The route leads home.", "done", "f3a9-1");
    m_backend->sendToStream({{"type", "something new"}});
    m_backend->sendToStream({{"type", "end"}});
    QVERIFY(ended.wait(SoonMs));
    QCOMPARE(speech.size(), 1);
    QCOMPARE(partials.first(), QVariantList({"navigate"}));
    QCOMPARE(finals.first(), QVariantList({"navigate home", "en", 0.5, "f3a9-1"}));
    QCOMPARE(answers.size(), 1);
    QCOMPARE(answers.first(), QVariantList({"The route leads home.", "done", "f3a9-1"}));
    QCOMPARE(disconnected.size(), 1);
    QTRY_VERIFY(m_backend->stream() == nullptr);
    QCOMPARE(m_backend->audio(), chunk(1) + chunk(2));
    QCOMPARE(ended.size(), 1);
    QCOMPARE(errors.size(), 0);
}

void TestNetworkManager::keepsAudioUntilConnected()
{
    m_backend->start();
    m_network->connectWebSocket();
    for (char number = 1; number <= 9; ++number)
        m_network->sendAudioChunk(chunk(number));
    QTRY_COMPARE(m_backend->audio().size(), 9 * 6400);
    for (char number = 1; number <= 9; ++number)
        QCOMPARE(m_backend->audio().at((number - 1) * 6400), number);
    QVERIFY(!QUrlQuery(m_backend->streamRequest().target).hasQueryItem("language"));
}

void TestNetworkManager::allStreamsAreOneConversation()
{
    m_backend->start();
    QStringList conversations;
    NetworkManager other;
    other.setBackendUrl(m_backend->url());
    for (NetworkManager *network : {m_network.get(), m_network.get(), &other}) {
        const int before = m_backend->streamCount();
        network->connectWebSocket();
        QTRY_COMPARE(m_backend->streamCount(), before + 1);
        const QUrlQuery query(m_backend->streamRequest().target);
        conversations += query.queryItemValue("conversation");
        QCOMPARE(query.queryItemValue("speak"), "true");
    }
    QVERIFY(!conversations.at(0).isEmpty());
    QCOMPARE(conversations.at(1), conversations.at(0));
    QVERIFY(conversations.at(2) != conversations.at(0));
}

void TestNetworkManager::handsFreeIsTheSameConversation()
{
    becomeReady();
    for (const bool isListening : {true, false}) {
        m_backend->sendEvent({{"type", "listening_changed"}, {"timestamp", 1.0}, {"enabled", isListening}});
        QTRY_COMPARE(m_network->isListening(), isListening);
        const int before = m_backend->streamCount();
        m_network->connectWebSocket();
        QTRY_COMPARE(m_backend->streamCount(), before + 1);
        const QUrlQuery query(m_backend->streamRequest().target);
        QCOMPARE(query.queryItemValue("conversation") == QString("microphone"), isListening);
    }
}

void TestNetworkManager::keepsThirtySecondsAtMost()
{
    m_backend->start();
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    m_network->connectWebSocket();
    for (int number = 0; number < 303; ++number)
        m_network->sendAudioChunk(chunk(char(number % 100)));
    QCOMPARE(errors.size(), 1);
    QTRY_COMPARE(m_backend->audio().size(), 300 * 6400);
    QCOMPARE(m_backend->audio().front(), char(3)); // the first three are gone
    QCOMPARE(m_backend->audio().back(), char(2));
}

void TestNetworkManager::endWaitsForTheConnection()
{
    m_backend->start();
    QSignalSpy ended(m_network.get(), &NetworkManager::streamEnded);
    m_network->connectWebSocket();
    m_network->sendAudioChunk(chunk(1));
    m_network->endStream();
    QTRY_COMPARE(m_backend->streamMessages().size(), 1);
    QCOMPARE(m_backend->audio(), chunk(1));
    m_backend->sendToStream({{"type", "end"}});
    QVERIFY(ended.wait(SoonMs));
}

void TestNetworkManager::endIsNotAwaitedForever()
{
    m_backend->start();
    m_network->setStreamDeadline(200ms);
    QSignalSpy ended(m_network.get(), &NetworkManager::streamEnded);
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    m_network->connectWebSocket();
    m_network->endStream();
    QVERIFY(ended.wait(SoonMs));
    QCOMPARE(errors.size(), 1);
    QCOMPARE(errors.first().at(0).toString(), "The assistant did not answer in time.");
    QVERIFY(!ended.wait(500));
    QCOMPARE(ended.size(), 1);
}

void TestNetworkManager::whatComesOfACommandHasMoreTimeThanItsText()
{
    m_backend->start();
    m_network->setStreamDeadline(5s);
    QSignalSpy finals(m_network.get(), &NetworkManager::finalTranscription);
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    QSignalSpy ended(m_network.get(), &NetworkManager::streamEnded);
    m_network->connectWebSocket();
    m_network->endStream();
    QTRY_COMPARE(m_backend->streamMessages().size(), 1);
    m_backend->sendToStream({{"type", "final"}, {"text", "navigate home"}, {"language", "en"}});
    QTRY_COMPARE(finals.size(), 1);
    QVERIFY(!ended.wait(6000));
    m_backend->sendToStream({{"type", "end"}});
    QTRY_COMPARE(ended.size(), 1);
    QCOMPARE(errors.size(), 0);
}

void TestNetworkManager::abruptLossEndsTheStreamOnce()
{
    m_backend->start();
    QStringList order;
    connect(m_network.get(), &NetworkManager::streamFailed, this, [&] { order.append("failed"); });
    connect(m_network.get(), &NetworkManager::errorOccurred, this, [&] { order.append("error"); });
    connect(m_network.get(), &NetworkManager::webSocketDisconnected, this,
            [&] { order.append("disconnected"); });
    connect(m_network.get(), &NetworkManager::streamEnded, this, [&] { order.append("ended"); });
    QSignalSpy ended(m_network.get(), &NetworkManager::streamEnded);
    openStream();
    m_backend->cutStream();
    QVERIFY(ended.wait(SoonMs));
    QVERIFY(!ended.wait(300));
    QCOMPARE(order, QStringList({"failed", "error", "disconnected", "ended"}));
}

void TestNetworkManager::aRefusedStreamEndsOnce()
{
    m_backend->setStreamRefused(true);
    m_backend->start();
    QSignalSpy ended(m_network.get(), &NetworkManager::streamEnded);
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    QSignalSpy disconnected(m_network.get(), &NetworkManager::webSocketDisconnected);
    m_network->connectWebSocket();
    QVERIFY(ended.wait(SoonMs));
    QVERIFY(!ended.wait(300));
    QCOMPARE(errors.size(), 1);
    QVERIFY(!errors.first().at(0).toString().contains("QWebSocket"));
    QCOMPARE(disconnected.size(), 0);
}

void TestNetworkManager::anErrorOnTheStreamIsASentence()
{
    m_backend->start();
    QSignalSpy ended(m_network.get(), &NetworkManager::streamEnded);
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    QSignalSpy finals(m_network.get(), &NetworkManager::finalTranscription);
    openStream();
    m_backend->sendToStream(
        {{"type", "error"}, {"code", "bad_audio"}, {"message", "a frame had 6 bytes: send whole samples"}});
    QVERIFY(errors.wait(SoonMs));
    QCOMPARE(errors.first(), QVariantList({"A frame had 6 bytes.", "Send whole samples."}));
    m_backend->sendFinal("still there");
    QVERIFY(finals.wait(SoonMs));
    QCOMPARE(ended.size(), 0);
}

void TestNetworkManager::anErrorBeforeTheCloseIsToldOnce()
{
    m_backend->start();
    QSignalSpy ended(m_network.get(), &NetworkManager::streamEnded);
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    openStream();
    m_backend->sendToStream(
        {{"type", "error"}, {"code", "too_many_streams"}, {"message", "16 streams are open: wait"}});
    m_backend->stream()->close(QWebSocketProtocol::CloseCode(1013), "16 streams are open");
    QVERIFY(ended.wait(SoonMs));
    QCOMPARE(errors.size(), 1);
    QCOMPARE(errors.first().at(0).toString(), "The assistant is busy.");
    QCOMPARE(ended.size(), 1);
}

void TestNetworkManager::disconnectingEndsWithoutFinals()
{
    m_backend->start();
    QSignalSpy ended(m_network.get(), &NetworkManager::streamEnded);
    QSignalSpy disconnected(m_network.get(), &NetworkManager::webSocketDisconnected);
    QSignalSpy finals(m_network.get(), &NetworkManager::finalTranscription);
    openStream();
    m_backend->sendFinal("too late");
    m_network->disconnectWebSocket();
    QCOMPARE(disconnected.size(), 1);
    QTRY_VERIFY(m_backend->stream() == nullptr);
    QCOMPARE(finals.size(), 0);
    QCOMPARE(ended.size(), 0);
}

void TestNetworkManager::aHungBackendEndsTheStream()
{
    becomeReady();
    QSignalSpy ended(m_network.get(), &NetworkManager::streamEnded);
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    openStream();
    m_backend->setHanging(true);
    QVERIFY(ended.wait(SoonMs));
    QCOMPARE(errors.size(), 1);
    QCOMPARE(ended.size(), 1);
}

// ---- events

void TestNetworkManager::followsTheMicrophoneOnly()
{
    becomeReady();
    QSignalSpy wakeWords(m_network.get(), &NetworkManager::wakeWordDetected);
    QSignalSpy states(m_network.get(), &NetworkManager::pipelineStateChanged);
    QSignalSpy partials(m_network.get(), &NetworkManager::handsFreePartial);
    QSignalSpy transcripts(m_network.get(), &NetworkManager::handsFreeTranscript);
    QSignalSpy answers(m_network.get(), &NetworkManager::handsFreeAnswer);
    QSignalSpy streamAnswers(m_network.get(), &NetworkManager::answered);
    QSignalSpy understood(m_network.get(), &NetworkManager::understood);
    QSignalSpy acted(m_network.get(), &NetworkManager::acted);
    QJsonObject transcript{{"type", "transcript"},    {"session_id", "f3a9"},    {"timestamp", 1698345602.6},
                           {"text", "somebody else"}, {"language", "en"},        {"latency", 0.75},
                           {"source", "stream"},      {"utterance_id", "f3a9-1"}};
    QJsonObject answer{{"type", "answer"},
                       {"text", "The window is open."},
                       {"earcon", "done"},
                       {"source", "stream"},
                       {"utterance_id", "f3a9-1"}};
    m_backend->sendEvent({{"type", "wake_word_detected"}, {"session_id", "f3a9"}, {"name", "hey_mycroft"}});
    m_backend->sendState("LISTENING");
    m_backend->sendEvent({{"type", "partial"}, {"session_id", "f3a9"}, {"text", "turn on"}});
    m_backend->sendEvent(transcript);
    m_backend->sendEvent({{"type", "intent"}, {"source", "stream"}, {"utterance_id", "f3a9-1"}});
    m_backend->sendEvent({{"type", "action"}, {"outcome", "done"}, {"utterance_id", "f3a9-1"}});
    m_backend->sendEvent(answer);
    transcript["source"] = "file";
    m_backend->sendEvent(transcript);
    m_backend->sendState("PROCESSING");
    transcript["source"] = "microphone";
    transcript["text"] = "turn on the heating";
    m_backend->sendEvent(transcript);
    m_backend->sendEvent({{"type", "intent"}, {"source", "microphone"}, {"utterance_id", "a1b2-1"}});
    m_backend->sendEvent({{"type", "action"}, {"outcome", "refused"}, {"utterance_id", "a1b2-1"}});
    answer["source"] = "microphone";
    answer["text"] = "The heating is broken.";
    answer["earcon"] = "failed";
    m_backend->sendEvent(answer);
    m_backend->sendState("IDLE");
    QTRY_COMPARE(states.size(), 3);
    QCOMPARE(states.at(0).first().toString(), "LISTENING");
    QCOMPARE(states.at(1).first().toString(), "PROCESSING");
    QCOMPARE(wakeWords.size(), 1);
    QCOMPARE(wakeWords.first().first().toString(), "hey_mycroft");
    QCOMPARE(partials.size(), 1);
    QCOMPARE(partials.first().first().toString(), "turn on");
    QCOMPARE(transcripts.size(), 1);
    const QDateTime time = QDateTime::fromMSecsSinceEpoch(1698345602600);
    QCOMPARE(transcripts.first(), QVariantList({"turn on the heating", "en", 0.75, time, "f3a9-1"}));
    QCOMPARE(answers.size(), 1);
    QCOMPARE(answers.first(), QVariantList({"The heating is broken.", "failed", "f3a9-1"}));
    QCOMPARE(streamAnswers.size(), 0);
    QCOMPARE(understood.size(), 1);
    QCOMPARE(understood.first().first().value<Understood>().utterance, "a1b2-1");
    QCOMPARE(acted.size(), 1);
    QCOMPARE(acted.first().first().value<Acted>().outcome, "refused");
}

void TestNetworkManager::toleratesWhatItDoesNotKnow()
{
    becomeReady();
    QSignalSpy states(m_network.get(), &NetworkManager::pipelineStateChanged);
    const QRegularExpression warning("no JSON object");
    QTest::ignoreMessage(QtWarningMsg, warning);
    m_backend->sendEventText("{garbage");
    QTest::ignoreMessage(QtWarningMsg, warning);
    m_backend->sendEventText("[1, 2]");
    m_backend->sendEvent({{"type", "dropped"}, {"count", 12}});
    m_backend->sendEvent({{"type", "from the future"}});
    m_backend->sendEvent({{"text", "without a type"}});
    m_backend->sendEvent({{"type", 7}});
    m_backend->sendState("LISTENING");
    QTRY_COMPARE(states.size(), 1);
    QCOMPARE(m_backend->eventsCount(), 1);
}

void TestNetworkManager::errorEventsShowNoInternals()
{
    becomeReady();
    QSignalSpy errors(m_network.get(), &NetworkManager::handsFreeFailed);
    m_backend->sendEvent({{"type", "error"}, // the answer is on the screen
                          {"stage", "answers"},
                          {"error_type", "SpeakerError"},
                          {"message", "no loudspeaker was found: plug one in"}});
    m_backend->sendEvent({{"type", "error"},
                          {"stage", "capture"},
                          {"error_type", "AudioError"},
                          {"message", "the microphone is gone: plug it in again"}});
    m_backend->sendEvent({{"type", "error"},
                          {"stage", "pipeline"},
                          {"error_type", "IndexError"},
                          {"message", "index 3 is out of bounds for axis 0"}});
    QTRY_COMPARE(errors.size(), 2);
    QCOMPARE(errors.at(0), QVariantList({"The microphone is gone.", "Plug it in again."}));
    QCOMPARE(errors.at(1), QVariantList({"The assistant failed.", "Try again."}));
}

void TestNetworkManager::connectsToTheEventsAgain()
{
    becomeReady();
    QElapsedTimer sinceLoss;
    sinceLoss.start();
    m_backend->events()->abort();
    QTRY_COMPARE(m_backend->eventsCount(), 2);
    QVERIFY2(sinceLoss.elapsed() >= 450, qPrintable(QString::number(sinceLoss.elapsed())));
    QCOMPARE(m_network->backendState(), State::Ready);
}

// ---- microphone and model of the backend

void TestNetworkManager::switchesListening()
{
    becomeReady();
    QTRY_VERIFY(m_network->isListening());
    m_backend->answer("PUT /listening", {200, R"({"available":true,"enabled":false})", {}, false});
    QSignalSpy changes(m_network.get(), &NetworkManager::listeningChanged);
    m_network->setListening(false);
    QVERIFY(changes.wait(SoonMs));
    QVERIFY(!m_network->isListening());
    QVERIFY(m_network->canListen());
    QCOMPARE(jsonOf(m_backend->requests("PUT /listening").first().body), QJsonObject({{"enabled", false}}));

    m_backend->sendEvent({{"type", "listening_changed"}, {"timestamp", 1.0}, {"enabled", true}});
    QTRY_VERIFY(m_network->isListening());
}

void TestNetworkManager::knowsTheWakeWord()
{
    m_backend->setSnapshot(
        {{"type", "snapshot"}, {"state", "IDLE"}, {"listening", true}, {"wake_words", QJsonArray{"Alexa"}}});
    m_backend->answer("GET /listening",
                      {200, R"({"available":true,"enabled":true,"wake_words":["Hey Mycroft"]})", {}, false});
    m_network->setEventsPort(1); // nobody is there
    m_backend->start();
    m_network->setActive(true);
    QTRY_COMPARE(m_network->wakeWord(), "Hey Mycroft");
    QSignalSpy changes(m_network.get(), &NetworkManager::listeningChanged);
    m_network->setEventsPort(m_backend->eventsPort());
    QTRY_COMPARE(m_network->wakeWord(), "Alexa");
    QVERIFY(changes.size() > 0);
}

void TestNetworkManager::tellsHowLoudItIs()
{
    becomeReady();
    QSignalSpy levels(m_network.get(), &NetworkManager::handsFreeLevel);
    m_backend->sendEvent({{"type", "level"}, {"dbfs", -30.0}, {"level", 0.5}});
    QVERIFY(levels.wait(SoonMs));
    QCOMPARE(levels.first().at(0).toDouble(), -30.0);
    QCOMPARE(levels.first().at(1).toDouble(), 0.5);
}

void TestNetworkManager::knowsOfTheMicrophoneWithoutEvents()
{
    m_network->setEventsPort(1); // nobody is there
    m_backend->start();
    m_network->setActive(true);
    QTRY_VERIFY(m_network->isListening());
    QCOMPARE(m_backend->count("GET /listening"), 1);
    QCOMPARE(m_network->backendState(), State::Ready);
}

void TestNetworkManager::aBackendWithoutMicrophoneSaysSo()
{
    m_backend->setSnapshot({{"type", "snapshot"}, {"state", "IDLE"}, {"listening", QJsonValue::Null}});
    m_backend->answer("GET /listening", {200, R"({"available":false,"enabled":false})", {}, false});
    m_backend->answer("PUT /listening",
                      failure(409, "no_microphone", "this service has no microphone: set audio.source"));
    becomeReady();
    QVERIFY(!m_network->canListen());
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    QSignalSpy changes(m_network.get(), &NetworkManager::listeningChanged);
    m_network->setListening(true);
    QVERIFY(errors.wait(SoonMs));
    QCOMPARE(errors.first().at(0).toString(), "This service has no microphone.");
    QCOMPARE(changes.size(), 1); // for a switch that ran ahead
    QVERIFY(!m_network->isListening());
}

void TestNetworkManager::anOlderBackendHasOneModelAndNoSwitch()
{
    const FakeBackend::Answer missing =
        failure(404, "not_found", "there is nothing at this path: see /openapi.json");
    m_backend->setSnapshot({{"type", "snapshot"}, {"state", "IDLE"}});
    for (const char *path : {"GET /listening", "PUT /listening", "GET /v1/models"})
        m_backend->answer(path, missing);
    m_backend->answer("PUT /model", failure(405, "method_not_allowed", "/model has another method"));
    becomeReady();
    QCOMPARE(m_network->models(), QStringList("cabin-en"));
    QVERIFY(!m_network->canListen());
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    m_network->setListening(true);
    QVERIFY(errors.wait(SoonMs));
    QCOMPARE(errors.takeFirst(),
             QVariantList({"The backend cannot switch its microphone.", "Update the backend."}));
    m_network->loadModel("tiny");
    QVERIFY(errors.wait(SoonMs));
    QCOMPARE(errors.takeFirst(),
             QVariantList({"The backend cannot load another model.", "Update the backend."}));
    QCOMPARE(m_network->backendState(), State::Ready);
}

void TestNetworkManager::loadsAnotherModel()
{
    becomeReady();
    m_backend->answer("PUT /model", {202, R"({"model_name":"tiny"})", {}, false});
    m_network->loadModel("cabin-en"); // is loaded
    m_network->loadModel("tiny");
    QTRY_COMPARE(m_backend->count("PUT /model"), 1);
    QCOMPARE(jsonOf(m_backend->requests("PUT /model").first().body), QJsonObject({{"model_name", "tiny"}}));
    // Loaded so fast that no question for health fell into it.
    m_backend->answer("GET /model/info",
                      {200, R"({"model_name":"tiny","version":"9.9","languages":["en"]})", {}, false});
    QTRY_COMPARE(m_network->modelName(), "tiny");
    QCOMPARE(m_network->languages(), QStringList("en"));
    QCOMPARE(m_network->backendState(), State::Ready);
}

void TestNetworkManager::aModelThatDoesNotExistIsAnError()
{
    becomeReady();
    m_backend->answer("PUT /model", failure(404, "no_such_model", "no model huge: there are cabin-en, tiny"));
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    m_network->loadModel("huge");
    QVERIFY(errors.wait(SoonMs));
    QCOMPARE(errors.first(), QVariantList({"No model huge.", "There are cabin-en, tiny."}));
}

void TestNetworkManager::aModelThatCannotBeLoadedIsAnError()
{
    becomeReady();
    m_backend->answer("PUT /model", {202, R"({"model_name":"tiny"})", {}, false});
    QSignalSpy errors(m_network.get(), &NetworkManager::errorOccurred);
    QSignalSpy handsFreeErrors(m_network.get(), &NetworkManager::handsFreeFailed);
    const int before = m_backend->count("GET /model/info");
    m_network->loadModel("tiny");
    QTRY_VERIFY(m_backend->count("GET /model/info") > before); // it waits for the model
    m_backend->sendEvent({{"type", "error"},
                          {"stage", "stt"},
                          {"error_type", "ModelError"},
                          {"message", "encoder.onnx is damaged: convert the model again"}});
    QVERIFY(errors.wait(SoonMs));
    QCOMPARE(errors.first().at(0).toString(), "Encoder.onnx is damaged: convert the model again.");
    QCOMPARE(handsFreeErrors.size(), 0);
}

// ---- the end

void TestNetworkManager::mayBeDestroyedAtAnyTime()
{
    FakeBackend::Answer silence;
    silence.isHeld = true;
    m_backend->answer("POST /transcribe/base64", silence);
    m_backend->answer("PUT /listening", silence);
    becomeReady();
    m_network->connectWebSocket();
    m_network->sendAudioChunk(chunk(1));
    m_network->endStream();
    m_network->transcribeBase64("RIFF");
    m_network->transcribeFile(QCoreApplication::applicationFilePath());
    m_network->setListening(true);
    m_network->getModelInfo();
    m_network->checkHealth();
    int signalsAfter = 0;
    connect(m_network.get(), &NetworkManager::errorOccurred, this, [&] { ++signalsAfter; });
    connect(m_network.get(), &NetworkManager::streamEnded, this, [&] { ++signalsAfter; });
    m_network.reset();
    QCOMPARE(signalsAfter, 0);
    QTRY_VERIFY(m_backend->events() == nullptr);
}

QTEST_GUILESS_MAIN(TestNetworkManager)
#include "test_networkmanager.moc"
