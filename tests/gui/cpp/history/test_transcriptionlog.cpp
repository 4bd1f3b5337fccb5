#include "history/transcriptionlog.h"

#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

static Transcription entry(const QString &text, int minute)
{
    return {text, QDateTime({2025, 6, 1}, {12, minute, 30, 250}), QStringLiteral("de"), 0.375, {}, {}, {}};
}

class TestTranscriptionLog : public QObject
{
    Q_OBJECT

private slots:
    void roundTrip();
    void keepsAnswers();
    void isLinesTheNewestLast();
    void loadsTheNewest();
    void leavesOutBadLines();
    void absentFileIsEmpty();
    void makesItsFolder();
    void isForTheOwnerAlone();
    void saysWhenItCannotWrite();

private:
    QString path() const { return m_folder.filePath(QStringLiteral("history/log.jsonl")); }
    void write(const QByteArray &bytes) const;

    QTemporaryDir m_folder;
};

void TestTranscriptionLog::write(const QByteArray &bytes) const
{
    TranscriptionLog(path()).save({});
    QFile file(path());
    if (!file.open(QIODevice::WriteOnly))
        qFatal("no room for a test's file");
    file.write(bytes);
}

void TestTranscriptionLog::roundTrip()
{
    const QList<Transcription> entries{
        entry(QStringLiteral("„Heizung an“\nsagte er: \\ und \"so\" \U0001F697"), 2),
        entry(QStringLiteral("second"), 1),
    };
    QVERIFY(TranscriptionLog(path()).save(entries));
    QCOMPARE(TranscriptionLog(path()).load(10), entries);
}

void TestTranscriptionLog::keepsAnswers()
{
    Transcription answered = entry(QStringLiteral("Heizung an"), 1);
    answered.answer = QStringLiteral("Die Heizung ist an.");
    answered.earcon = QStringLiteral("done");
    answered.utterance = QStringLiteral("f3a9-1");
    QVERIFY(TranscriptionLog(path()).save({answered, entry(QStringLiteral("first"), 0)}));
    const QList<Transcription> loaded = TranscriptionLog(path()).load(10);
    QCOMPARE(loaded.size(), 2);
    QCOMPARE(loaded.at(0), answered);
    QCOMPARE(loaded.at(0).utterance, QString());
    QCOMPARE(loaded.at(1).answer, QString());
    Transcription other = answered;
    other.earcon = QStringLiteral("failed");
    QVERIFY(!(loaded.at(0) == other));
    other = answered;
    other.answer.clear();
    QVERIFY(!(loaded.at(0) == other));
}

void TestTranscriptionLog::isLinesTheNewestLast()
{
    QVERIFY(
        TranscriptionLog(path()).save({entry(QStringLiteral("new"), 2), entry(QStringLiteral("old"), 1)}));
    QFile file(path());
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QList<QByteArray> lines = file.readAll().split('\n');
    QCOMPARE(lines.size(), 3);
    QVERIFY(lines.at(0).contains("old"));
    QVERIFY(lines.at(1).contains("new"));
    QCOMPARE(lines.at(2), QByteArray());
}

void TestTranscriptionLog::loadsTheNewest()
{
    QVERIFY(TranscriptionLog(path()).save(
        {entry(QStringLiteral("c"), 3), entry(QStringLiteral("b"), 2), entry(QStringLiteral("a"), 1)}));
    const QList<Transcription> loaded = TranscriptionLog(path()).load(2);
    QCOMPARE(loaded.size(), 2);
    QCOMPARE(loaded.at(0).text, QStringLiteral("c"));
    QCOMPARE(loaded.at(1).text, QStringLiteral("b"));
}

void TestTranscriptionLog::leavesOutBadLines()
{
    const QByteArray good =
        R"({"text":"good","time":"2025-06-01T12:00:00.000Z","language":"en","latency":1})";
    write("\n"
          "no JSON\n"
          "[1, 2]\n"
          R"({"text":"","time":"2025-06-01T12:00:00.000Z"})"
          "\n"
          R"({"text":"no time"})"
          "\n"
          R"({"text":"bad time","time":"yesterday"})"
          "\n"
          R"({"text":"bad latency","time":"2025-06-01T12:00:00.000Z","latency":-1})"
          "\n"
          R"({"text":12,"time":"2025-06-01T12:00:00.000Z"})"
          "\n"
          + good + "\n" + QByteArray(200000, 'x') + "\n" + good
          + "\n"
            R"({"text":"cut off by the po)");
    const QList<Transcription> loaded = TranscriptionLog(path()).load(100);
    QCOMPARE(loaded.size(), 2);
    QCOMPARE(loaded.at(0).text, QStringLiteral("good"));
    QCOMPARE(loaded.at(1), loaded.at(0));
    QCOMPARE(loaded.at(0).time, QDateTime({2025, 6, 1}, {12, 0}, Qt::UTC));
}

void TestTranscriptionLog::absentFileIsEmpty()
{
    QVERIFY(TranscriptionLog(m_folder.filePath(QStringLiteral("none"))).load(10).isEmpty());
}

void TestTranscriptionLog::makesItsFolder()
{
    const QString deep = m_folder.filePath(QStringLiteral("a/b/c/log.jsonl"));
    QVERIFY(TranscriptionLog(deep).save({entry(QStringLiteral("text"), 1)}));
    QVERIFY(QFileInfo::exists(deep));
}

void TestTranscriptionLog::isForTheOwnerAlone()
{
    QVERIFY(TranscriptionLog(path()).save({entry(QStringLiteral("secret"), 1)}));
    const QFileDevice::Permissions others =
        QFileDevice::ReadGroup | QFileDevice::WriteGroup | QFileDevice::ReadOther | QFileDevice::WriteOther;
    QVERIFY(!(QFile::permissions(path()) & others));
}

void TestTranscriptionLog::saysWhenItCannotWrite()
{
    QVERIFY(
        !TranscriptionLog(QStringLiteral("/proc/none/log.jsonl")).save({entry(QStringLiteral("text"), 1)}));
}

QTEST_APPLESS_MAIN(TestTranscriptionLog)
#include "test_transcriptionlog.moc"
