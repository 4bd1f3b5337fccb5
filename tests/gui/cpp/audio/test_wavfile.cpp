#include "audio/tone.h"
#include "audio/wavfile.h"

#include <QTemporaryDir>
#include <QTest>

class TestWavFile : public QObject
{
    Q_OBJECT

private slots:
    void init();
    void readsPcm();
    void readsFloatStereo();
    void readsTheRecordings();
    void passesOtherChunks();
    void endsWithTheFile();
    void refusesAbsentFile();
    void refusesWhatIsNoWav_data();
    void refusesWhatIsNoWav();

private:
    QString write(const QByteArray &bytes) const;

    QTemporaryDir m_folder;
};

void TestWavFile::init()
{
    QVERIFY(m_folder.isValid());
}

QString TestWavFile::write(const QByteArray &bytes) const
{
    QFile file(m_folder.filePath(QStringLiteral("sound.wav")));
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size())
        qFatal("no room for a test's file");
    return file.fileName();
}

void TestWavFile::readsPcm()
{
    WavFile file;
    QCOMPARE(file.open(write(wav({1, 1, 22050, 16}, "aabbccdd"))), QString());
    QCOMPARE(file.format().sampleRate(), 22050);
    QCOMPARE(file.format().channelCount(), 1);
    QCOMPARE(file.format().sampleFormat(), QAudioFormat::Int16);
    QCOMPARE(file.read(3), QByteArray("aabbcc"));
    QCOMPARE(file.read(3), QByteArray("dd"));
    QCOMPARE(file.read(3), QByteArray());
}

void TestWavFile::readsFloatStereo()
{
    WavFile file;
    QCOMPARE(file.open(write(wav({3, 2, 48000, 32}, QByteArray(800, 'x')))), QString());
    QCOMPARE(file.format().sampleFormat(), QAudioFormat::Float);
    QCOMPARE(file.format().channelCount(), 2);
    QCOMPARE(file.read(1000).size(), 800);
}

void TestWavFile::readsTheRecordings()
{
    const QString folder = qEnvironmentVariable("TEST_AUDIO");
    if (folder.isEmpty())
        QSKIP("TEST_AUDIO is the folder tests/audio; ctest sets it");
    WavFile file;
    QCOMPARE(file.open(folder + QStringLiteral("/navigate_home.wav")), QString());
    QCOMPARE(file.format().sampleRate(), 16000);
    QCOMPARE(file.read(1000000).size(), 2 * 23198);
}

void TestWavFile::passesOtherChunks()
{
    WavLayout layout;
    layout.otherChunk =
        QByteArray("LIST\x05\x00\x00\x00tools\x00", 14); // of an odd size, so one byte follows
    WavFile file;
    QCOMPARE(file.open(write(wav(layout, "aabb"))), QString());
    QCOMPARE(file.read(10), QByteArray("aabb"));
}

void TestWavFile::endsWithTheFile()
{
    WavLayout layout;
    layout.claimedSize = 0xFFFFFFFF; // what a program writes that does not know yet
    WavFile file;
    QCOMPARE(file.open(write(wav(layout, "aabb"))), QString());
    QCOMPARE(file.read(100), QByteArray("aabb"));
    layout.claimedSize = 2; // and what follows the data is not sound
    QCOMPARE(file.open(write(wav(layout, "aabb"))), QString());
    QCOMPARE(file.read(100), QByteArray("aa"));
}

void TestWavFile::refusesAbsentFile()
{
    WavFile file;
    QVERIFY(
        file.open(m_folder.filePath(QStringLiteral("none.wav"))).contains(QLatin1String("cannot be opened")));
    QVERIFY(!file.format().isValid());
}

void TestWavFile::refusesWhatIsNoWav_data()
{
    QTest::addColumn<QByteArray>("bytes");
    const QByteArray good = wav({}, "aabb");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("text") << QByteArray("Turn on the heating, please, and be quick about it.");
    QTest::newRow("cut before the data") << good.first(36);
    QTest::newRow("cut in the format") << good.first(24);
    QTest::newRow("no format") << good.first(12) + good.sliced(36);
    QTest::newRow("8 bit") << wav({1, 1, 16000, 8}, "aabb");
    QTest::newRow("24 bit") << wav({1, 1, 16000, 24}, "aabb");
    QTest::newRow("double") << wav({3, 1, 16000, 64}, "aabb");
    QTest::newRow("compressed") << wav({85, 1, 16000, 16}, "aabb");
    QTest::newRow("no channels") << wav({1, 0, 16000, 16}, "aabb");
    QTest::newRow("no rate") << wav({1, 1, 0, 16}, "aabb");
    QTest::newRow("absurd rate") << wav({1, 1, 4000000, 16}, "aabb");
    QByteArray gigantic = good;
    gigantic.replace(16, 4, "\xFF\xFF\xFF\x7F");
    QTest::newRow("gigantic format") << gigantic;
}

void TestWavFile::refusesWhatIsNoWav()
{
    QFETCH(QByteArray, bytes);
    WavFile file;
    QVERIFY(file.open(write(bytes)).contains(QLatin1String("is not a WAV file")));
}

QTEST_APPLESS_MAIN(TestWavFile)
#include "test_wavfile.moc"
