#include "audio/audiocapture.h"
#include "audio/audioengine.h"
#include "audio/audioinputs.h"
#include "audio/tone.h"
#include "soon.h"

#include <QQmlComponent>
#include <QQmlEngine>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <cstring>

/// A microphone in the hand of a test.
class FakeCapture : public AudioCapture
{
    Q_OBJECT

public:
    FakeCapture(const QString &name, const QString &fault)
        : name(name)
        , fault(fault)
    {
    }

    QString start() override
    {
        running = fault.isEmpty();
        return fault;
    }
    void stop() override { running = false; }

    const QString name;
    const QString fault;
    bool running = false;
};

/// Microphones that are plugged in and out by a test.
class FakeInputs : public AudioInputs
{
    Q_OBJECT

public:
    QStringList names() const override { return present; }
    QString defaultName() const override { return present.value(0); }
    std::unique_ptr<AudioCapture> open(const QString &name) override
    {
        if (!present.contains(name))
            return nullptr;
        auto capture = std::make_unique<FakeCapture>(name, fault);
        opened = capture.get();
        ++openings;
        return capture;
    }
    void set(const QStringList &names)
    {
        present = names;
        emit changed();
    }

    QStringList present;
    QString fault; ///< of every microphone that is opened from now on
    QPointer<FakeCapture> opened; ///< the last
    int openings = 0;
};

static const QString Usb = QStringLiteral("USB microphone");
static const QString BuiltIn = QStringLiteral("Built-in microphone");

static QList<float> samplesOf(const QByteArray &chunk)
{
    QList<float> samples(chunk.size() / qsizetype(sizeof(float)));
    std::memcpy(samples.data(), chunk.constData(), size_t(chunk.size()));
    return samples;
}

class TestAudioEngine : public QObject
{
    Q_OBJECT

private slots:
    void init();

    void listsMicrophones();
    void cutsChunks();
    void deliversTheRestAtTheEnd();
    void reportsPeaksAndLevel();
    void receiverMayStop();
    void receiverOfTheLastSamplesMayStop();

    void opensTheChosenOne();
    void switchesWhileCapturing();
    void saysThatThereIsNone();
    void saysThatTheChosenOneIsAbsent();
    void sameErrorIsNewsAgain();

    void goesOnWhenPluggedInAgain();
    void staysStoppedWhenNotWanted();
    void defaultMovesToAnotherOne();
    void unpluggingAnotherOneChangesNothing();
    void triesAgainAfterAFailure();

    void playsAFile();
    void badFileIsAnError();
    void fileStandsInForAMicrophone();

    void isATypeOfQml();

private:
    QString write(double seconds) const;
    void say(const QList<float> &samples) { emit m_inputs->opened->samplesReady(samples); }

    QTemporaryDir m_folder;
    FakeInputs *m_inputs = nullptr;
    std::unique_ptr<AudioEngine> m_engine;
};

void TestAudioEngine::init()
{
    auto inputs = std::make_unique<FakeInputs>();
    inputs->present = QStringList{BuiltIn, Usb};
    m_inputs = inputs.get();
    m_engine = std::make_unique<AudioEngine>(std::move(inputs));
}

QString TestAudioEngine::write(double seconds) const
{
    QFile file(m_folder.filePath(QStringLiteral("tone.wav")));
    if (!file.open(QIODevice::WriteOnly))
        qFatal("no room for a test's file");
    file.write(wav({}, pcm16(tone(1000, 16000, seconds))));
    return file.fileName();
}

void TestAudioEngine::listsMicrophones()
{
    QSignalSpy changed(m_engine.get(), &AudioEngine::inputDevicesChanged);
    QCOMPARE(m_engine->inputDevices(), QStringList({BuiltIn, Usb}));
    QVERIFY(m_engine->isAvailable());
    m_inputs->set({});
    QCOMPARE(changed.size(), 1);
    QCOMPARE(m_engine->inputDevices(), QStringList());
    QVERIFY(!m_engine->isAvailable());
    m_inputs->set({});
    QCOMPARE(changed.size(), 1);
}

void TestAudioEngine::cutsChunks()
{
    QSignalSpy chunks(m_engine.get(), &AudioEngine::audioDataReady);
    m_engine->captureAudio();
    const QList<float> spoken = tone(440, 16000, 0.35);
    for (qsizetype begin = 0; begin < spoken.size(); begin += 317)
        say(spoken.mid(begin, 317));
    QCOMPARE(chunks.size(), 3);
    QList<float> heard;
    for (const QList<QVariant> &arguments : chunks) {
        QCOMPARE(arguments.first().toByteArray().size(), 6400);
        heard += samplesOf(arguments.first().toByteArray());
    }
    QCOMPARE(heard, spoken.first(4800));
}

void TestAudioEngine::deliversTheRestAtTheEnd()
{
    QSignalSpy chunks(m_engine.get(), &AudioEngine::audioDataReady);
    m_engine->captureAudio();
    say(tone(440, 16000, 0.12));
    m_engine->stopCapture();
    QCOMPARE(chunks.size(), 2);
    QCOMPARE(chunks.at(1).first().toByteArray().size(), 320 * 4);
    QVERIFY(!m_engine->isCapturing());
    m_engine->captureAudio(); // what was left is not said twice
    m_engine->stopCapture();
    QCOMPARE(chunks.size(), 2);
}

void TestAudioEngine::reportsPeaksAndLevel()
{
    QSignalSpy peaks(m_engine.get(), &AudioEngine::peaksReady);
    QSignalSpy level(m_engine.get(), &AudioEngine::levelChanged);
    m_engine->captureAudio();
    QList<float> spoken(1600, 0.001F);
    spoken[165] = -0.5F;
    say(spoken);
    QCOMPARE(peaks.size(), 1);
    const auto reported = peaks.first().first().value<QList<float>>();
    QCOMPARE(reported.size(), 10);
    QCOMPARE(reported.at(0), 0.001F);
    QCOMPARE(reported.at(1), 0.5F);

    say(tone(1000, 16000, 0.1, 0.1)); // -23 dBFS
    QVERIFY2(std::abs(m_engine->level() - (1 - 23.01 / 60)) < 0.001,
             qPrintable(QString::number(m_engine->level())));
    QCOMPARE(level.size(), 2);
    m_engine->stopCapture();
    QCOMPARE(m_engine->level(), 0.0);
    QCOMPARE(level.size(), 3);
}

void TestAudioEngine::receiverMayStop()
{
    QSignalSpy chunks(m_engine.get(), &AudioEngine::audioDataReady);
    connect(m_engine.get(), &AudioEngine::audioDataReady, m_engine.get(), &AudioEngine::stopCapture);
    m_engine->captureAudio();
    say(tone(440, 16000, 1));
    QVERIFY(!m_engine->isCapturing());
    QVERIFY(!m_inputs->opened->running);
    QTRY_VERIFY(m_inputs->opened.isNull());
    QVERIFY(chunks.size() >= 1);
}

void TestAudioEngine::receiverOfTheLastSamplesMayStop()
{
    m_engine->captureAudio();
    say(tone(440, 16000, 0.05));
    connect(m_engine.get(), &AudioEngine::audioDataReady, m_engine.get(), &AudioEngine::stopCapture);
    m_engine->setInputDevice(Usb); // ends one and would begin another
    QVERIFY(!m_engine->isCapturing());
    QCOMPARE(m_inputs->openings, 1);
}

void TestAudioEngine::opensTheChosenOne()
{
    m_engine->captureAudio();
    QCOMPARE(m_inputs->opened->name, BuiltIn); // the system's default
    m_engine->stopCapture();
    QSignalSpy changed(m_engine.get(), &AudioEngine::inputDeviceChanged);
    m_engine->setInputDevice(Usb);
    m_engine->setInputDevice(Usb);
    QCOMPARE(changed.size(), 1);
    QCOMPARE(m_inputs->openings, 1);
    m_engine->captureAudio();
    m_engine->captureAudio();
    QCOMPARE(m_inputs->openings, 2);
    QCOMPARE(m_inputs->opened->name, Usb);
    QVERIFY(m_inputs->opened->running);
    QCOMPARE(m_engine->error(), QString());
}

void TestAudioEngine::switchesWhileCapturing()
{
    m_engine->captureAudio();
    const QPointer<FakeCapture> first = m_inputs->opened;
    m_engine->setInputDevice(Usb);
    QVERIFY(!first->running);
    QCOMPARE(m_inputs->opened->name, Usb);
    QVERIFY(m_engine->isCapturing());
    QSignalSpy chunks(m_engine.get(), &AudioEngine::audioDataReady);
    emit first->samplesReady(tone(440, 16000, 0.2));
    QCOMPARE(chunks.size(), 0);
}

void TestAudioEngine::saysThatThereIsNone()
{
    m_inputs->set({});
    QSignalSpy capturing(m_engine.get(), &AudioEngine::capturingChanged);
    m_engine->captureAudio();
    QCOMPARE(capturing.size(), 0);
    QCOMPARE(m_engine->error(), QStringLiteral("There is no microphone. Plug one in."));
    m_engine->stopCapture();
    m_inputs->set({Usb}); // wanted no more, but nothing is wrong any longer
    QCOMPARE(m_engine->error(), QString());
    QCOMPARE(m_inputs->openings, 0);
}

void TestAudioEngine::saysThatTheChosenOneIsAbsent()
{
    m_inputs->set({BuiltIn});
    m_engine->setInputDevice(Usb);
    m_engine->captureAudio();
    QVERIFY(!m_engine->isCapturing());
    QVERIFY2(m_engine->error().contains(Usb), qPrintable(m_engine->error()));
    m_engine->setInputDevice({});
    QVERIFY(m_engine->isCapturing());
    QCOMPARE(m_engine->error(), QString());
}

void TestAudioEngine::sameErrorIsNewsAgain()
{
    m_inputs->set({});
    m_engine->captureAudio();
    m_engine->stopCapture();
    QVERIFY(!m_engine->error().isEmpty());
    QSignalSpy errors(m_engine.get(), &AudioEngine::errorChanged);
    m_engine->captureAudio();
    QCOMPARE(errors.size(), 2); // gone and back
}

void TestAudioEngine::goesOnWhenPluggedInAgain()
{
    m_engine->setInputDevice(Usb);
    m_engine->captureAudio();
    say(tone(440, 16000, 0.05));
    QSignalSpy chunks(m_engine.get(), &AudioEngine::audioDataReady);
    QSignalSpy capturing(m_engine.get(), &AudioEngine::capturingChanged);
    m_inputs->set({BuiltIn});
    QCOMPARE(capturing.size(), 1);
    QVERIFY(!m_engine->isCapturing());
    QVERIFY2(m_engine->error().contains(QLatin1String("unplugged")), qPrintable(m_engine->error()));
    QCOMPARE(m_engine->inputDevice(), Usb);
    QCOMPARE(chunks.size(), 1); // what was said before

    m_inputs->set({BuiltIn, Usb});
    QVERIFY(m_engine->isCapturing());
    QCOMPARE(m_engine->error(), QString());
    say(tone(440, 16000, 0.1));
    QCOMPARE(chunks.size(), 2);
}

void TestAudioEngine::staysStoppedWhenNotWanted()
{
    m_engine->captureAudio();
    m_inputs->set({});
    m_engine->stopCapture();
    m_inputs->set({BuiltIn});
    QVERIFY(!m_engine->isCapturing());
    QCOMPARE(m_inputs->openings, 1);
}

void TestAudioEngine::defaultMovesToAnotherOne()
{
    m_engine->captureAudio();
    QSignalSpy errors(m_engine.get(), &AudioEngine::errorChanged);
    m_inputs->set({Usb});
    QVERIFY(m_engine->isCapturing());
    QCOMPARE(m_inputs->opened->name, Usb);
    QCOMPARE(errors.size(), 0);
}

void TestAudioEngine::unpluggingAnotherOneChangesNothing()
{
    m_engine->captureAudio();
    m_inputs->set({BuiltIn});
    QVERIFY(m_engine->isCapturing());
    QCOMPARE(m_inputs->openings, 1);
}

void TestAudioEngine::triesAgainAfterAFailure()
{
    m_engine->captureAudio();
    m_inputs->fault = QStringLiteral("It is held by another program.");
    emit m_inputs->opened->failed(QStringLiteral("It was cut off."));
    QVERIFY(!m_engine->isCapturing());
    QCOMPARE(m_engine->error(), QStringLiteral("It was cut off."));
    QTRY_COMPARE(m_engine->error(), m_inputs->fault);
    m_inputs->fault.clear();
    QTRY_VERIFY(m_engine->isCapturing());
    QCOMPARE(m_engine->error(), QString());

    // Not after another one was begun, and not after the end.
    QSignalSpy capturing(m_engine.get(), &AudioEngine::capturingChanged);
    emit m_inputs->opened->failed(QStringLiteral("It was cut off."));
    m_engine->setInputDevice(Usb);
    const int before = m_inputs->openings;
    capturing.clear();
    QVERIFY(!capturing.wait(1200));
    QCOMPARE(m_inputs->openings, before);
    emit m_inputs->opened->failed(QStringLiteral("It was cut off."));
    m_engine->stopCapture();
    capturing.clear();
    QVERIFY(!capturing.wait(1200));
    QCOMPARE(m_inputs->openings, before);
}

void TestAudioEngine::playsAFile()
{
    m_engine->setSourceFile(write(0.25));
    QSignalSpy chunks(m_engine.get(), &AudioEngine::audioDataReady);
    QSignalSpy finished(m_engine.get(), &AudioEngine::sourceFileFinished);
    m_engine->captureAudio();
    QVERIFY(m_engine->isCapturing());
    QTRY_VERIFY(chunks.size() >= 4);
    QCOMPARE(finished.size(), 1);
    QCOMPARE(m_inputs->openings, 0);
    QList<float> heard;
    for (const QList<QVariant> &arguments : chunks)
        heard += samplesOf(arguments.first().toByteArray());
    QVERIFY(std::abs(fitTone(1000, 16000, heard.first(4000)).amplitude - 0.5) < 0.01);
    QCOMPARE(heard.mid(4000), QList<float>(heard.size() - 4000, 0));
    QVERIFY(m_engine->isCapturing()); // a microphone does not end
    m_engine->stopCapture();
    QVERIFY(!m_engine->isCapturing());
}

void TestAudioEngine::badFileIsAnError()
{
    m_engine->setSourceFile(QStringLiteral("/nowhere/none.wav"));
    m_engine->captureAudio();
    QVERIFY(!m_engine->isCapturing());
    QVERIFY2(m_engine->error().contains(QLatin1String("/nowhere/none.wav")), qPrintable(m_engine->error()));
    m_inputs->set({}); // is of no concern now
    QVERIFY2(m_engine->error().contains(QLatin1String("/nowhere/none.wav")), qPrintable(m_engine->error()));
    m_inputs->set({Usb});
    m_engine->setSourceFile({});
    QVERIFY(m_engine->isCapturing());
    QCOMPARE(m_engine->error(), QString());
}

void TestAudioEngine::fileStandsInForAMicrophone()
{
    m_inputs->set({});
    QVERIFY(!m_engine->isAvailable());
    QSignalSpy changed(m_engine.get(), &AudioEngine::inputDevicesChanged);
    m_engine->setSourceFile(write(1));
    QVERIFY(m_engine->isAvailable());
    QCOMPARE(changed.size(), 1);
    m_engine->captureAudio();
    m_inputs->set({Usb});
    m_inputs->set({});
    QVERIFY(m_engine->isCapturing());
}

void TestAudioEngine::isATypeOfQml()
{
    qmlRegisterType<AudioEngine>("Sound", 1, 0, "AudioEngine");
    QQmlEngine qml;
    QQmlComponent component(&qml);
    component.setData("import QtQml; import Sound\n"
                      "QtObject { required property AudioEngine audio\n"
                      "property int count: 0; property real first: -1\n"
                      "property Connections c: Connections { target: audio\n"
                      "function onPeaksReady(peaks) { count = peaks.length; first = peaks[0] } } }",
                      {});
    const std::unique_ptr<QObject> object(component.createWithInitialProperties(
        {{QStringLiteral("audio"), QVariant::fromValue(m_engine.get())}}));
    QVERIFY2(object, qPrintable(component.errorString()));
    m_engine->captureAudio();
    say(QList<float>(1600, 0.25F));
    QCOMPARE(object->property("count").toInt(), 10);
    QCOMPARE(object->property("first").toReal(), 0.25);
}

QTEST_GUILESS_MAIN(TestAudioEngine)
#include "test_audioengine.moc"
