#include "history/transcriptionmodel.h"
#include "soon.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <limits>

class TestTranscriptionModel : public QObject
{
    Q_OBJECT

private slots:
    void init();

    void newestIsFirst();
    void hasRoles();
    void fillsInWhatIsMissing();
    void emptyTextIsNoEntry();
    void isAnsweredByUtterance();
    void answersToNothingAreLeftOut();
    void signalsWhatItDoes();
    void isBounded();
    void boundMayShrink();
    void clears();

    void survivesARestart();
    void survivesAClearing();
    void keepsTheNewestOfAFile();
    void memoryJoinsAFile();
    void anotherFileIsAnotherHistory();
    void emptyPathIsMemoryOnly();
    void saysThatItCannotStore();

private:
    QString path(const QString &name = QStringLiteral("history.jsonl")) const
    {
        return m_folder->filePath(name);
    }
    QStringList texts() const { return texts(*m_model); }
    static QStringList texts(const TranscriptionModel &model);
    void add(const QString &text) { m_model->addTranscription(text, m_time, QStringLiteral("en"), 0.5); }
    void restart();

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<TranscriptionModel> m_model;
    std::unique_ptr<QAbstractItemModelTester> m_tester;
    const QDateTime m_time{{2025, 6, 1}, {12, 30}};
};

void TestTranscriptionModel::init()
{
    m_folder = std::make_unique<QTemporaryDir>();
    QVERIFY(m_folder->isValid());
    restart();
}

void TestTranscriptionModel::restart()
{
    m_tester.reset();
    m_model.reset();
    m_model = std::make_unique<TranscriptionModel>();
    m_tester = std::make_unique<QAbstractItemModelTester>(
        m_model.get(), QAbstractItemModelTester::FailureReportingMode::QtTest);
}

QStringList TestTranscriptionModel::texts(const TranscriptionModel &model)
{
    QStringList texts;
    for (int row = 0; row < model.rowCount(); ++row)
        texts += model.data(model.index(row), TranscriptionModel::TextRole).toString();
    return texts;
}

void TestTranscriptionModel::newestIsFirst()
{
    add(QStringLiteral("first"));
    add(QStringLiteral("second"));
    QCOMPARE(texts(), QStringList({QStringLiteral("second"), QStringLiteral("first")}));
    QCOMPARE(m_model->count(), 2);
    QCOMPARE(m_model->rowCount(m_model->index(0)), 0); // a list, not a tree
}

void TestTranscriptionModel::hasRoles()
{
    m_model->addTranscription(QStringLiteral("Heizung an"), m_time, QStringLiteral("de"), 0.75);
    const QHash<int, QByteArray> names = m_model->roleNames();
    QCOMPARE(names.size(), 6);
    const auto value = [&](const QByteArray &name) {
        return m_model->data(m_model->index(0), names.key(name));
    };
    QCOMPARE(value("text"), QVariant(QStringLiteral("Heizung an")));
    QCOMPARE(value("time"), QVariant(m_time));
    QCOMPARE(value("language"), QVariant(QStringLiteral("de")));
    QCOMPARE(value("latency"), QVariant(0.75));
    QCOMPARE(value("answer"), QVariant(QString()));
    QCOMPARE(value("earcon"), QVariant(QString()));
    QCOMPARE(m_model->data(m_model->index(0), Qt::DecorationRole), QVariant());
    QCOMPARE(m_model->data(QModelIndex(), TranscriptionModel::TextRole), QVariant());
}

void TestTranscriptionModel::fillsInWhatIsMissing()
{
    const QDateTime before = QDateTime::currentDateTime();
    m_model->addTranscription(QStringLiteral("  text \n"), {}, {}, std::numeric_limits<qreal>::quiet_NaN());
    m_model->addTranscription(QStringLiteral("text"), m_time, {}, -3);
    QCOMPARE(texts(), QStringList({QStringLiteral("text"), QStringLiteral("text")}));
    const QDateTime time = m_model->data(m_model->index(1), TranscriptionModel::TimeRole).toDateTime();
    QVERIFY(time >= before && time <= QDateTime::currentDateTime());
    for (int row = 0; row < 2; ++row)
        QCOMPARE(m_model->data(m_model->index(row), TranscriptionModel::LatencyRole).toReal(), 0.0);
}

void TestTranscriptionModel::emptyTextIsNoEntry()
{
    QSignalSpy added(m_model.get(), &TranscriptionModel::transcriptionAdded);
    add({});
    add(QStringLiteral(" \t\n"));
    QCOMPARE(m_model->count(), 0);
    QCOMPARE(added.size(), 0);
}

void TestTranscriptionModel::isAnsweredByUtterance()
{
    m_model->setStoragePath(path());
    m_model->addTranscription(QStringLiteral("open the trunk"), m_time, {}, 0.5, QStringLiteral("f3a9-1"));
    m_model->addTranscription(QStringLiteral("lock the doors"), m_time, {}, 0.5, QStringLiteral("f3a9-2"));
    QSignalSpy changes(m_model.get(), &QAbstractItemModel::dataChanged);
    m_model->addAnswer(QStringLiteral("f3a9-1"), QStringLiteral(" The car is moving. "),
                       QStringLiteral("failed"));
    QCOMPARE(changes.size(), 1);
    QCOMPARE(changes.first().at(0).toModelIndex().row(), 1);
    QCOMPARE(changes.first().at(1).toModelIndex().row(), 1);
    QCOMPARE(changes.first().at(2).value<QList<int>>(),
             QList<int>({TranscriptionModel::AnswerRole, TranscriptionModel::EarconRole}));
    restart();
    m_model->setStoragePath(path());
    const auto value = [&](int row, int role) { return m_model->data(m_model->index(row), role).toString(); };
    QCOMPARE(value(0, TranscriptionModel::AnswerRole), QString());
    QCOMPARE(value(1, TranscriptionModel::TextRole), QStringLiteral("open the trunk"));
    QCOMPARE(value(1, TranscriptionModel::AnswerRole), QStringLiteral("The car is moving."));
    QCOMPARE(value(1, TranscriptionModel::EarconRole), QStringLiteral("failed"));
}

void TestTranscriptionModel::answersToNothingAreLeftOut()
{
    add(QStringLiteral("without an utterance"));
    QSignalSpy changes(m_model.get(), &QAbstractItemModel::dataChanged);
    m_model->addAnswer({}, QStringLiteral("Yes."), QStringLiteral("done"));
    m_model->addAnswer(QStringLiteral("f3a9-1"), QStringLiteral("Yes."), QStringLiteral("done"));
    QCOMPARE(changes.size(), 0);
}

void TestTranscriptionModel::signalsWhatItDoes()
{
    QSignalSpy added(m_model.get(), &TranscriptionModel::transcriptionAdded);
    QSignalSpy count(m_model.get(), &TranscriptionModel::countChanged);
    QSignalSpy rows(m_model.get(), &QAbstractItemModel::rowsInserted);
    add(QStringLiteral("text"));
    QCOMPARE(added.size(), 1);
    QCOMPARE(added.first().first().toString(), QStringLiteral("text"));
    QCOMPARE(count.size(), 1);
    QCOMPARE(rows.size(), 1);
    QCOMPARE(rows.first().at(1).toInt(), 0);
}

void TestTranscriptionModel::isBounded()
{
    QCOMPARE(m_model->maximumCount(), 200);
    for (int i = 0; i < 250; ++i)
        add(QString::number(i));
    QCOMPARE(m_model->count(), 200);
    QCOMPARE(texts().first(), QStringLiteral("249"));
    QCOMPARE(texts().last(), QStringLiteral("50"));
    QSignalSpy count(m_model.get(), &TranscriptionModel::countChanged);
    add(QStringLiteral("one more"));
    QCOMPARE(count.size(), 0);
}

void TestTranscriptionModel::boundMayShrink()
{
    for (int i = 0; i < 5; ++i)
        add(QString::number(i));
    QSignalSpy count(m_model.get(), &TranscriptionModel::countChanged);
    QSignalSpy maximum(m_model.get(), &TranscriptionModel::maximumCountChanged);
    m_model->setMaximumCount(2);
    QCOMPARE(texts(), QStringList({QStringLiteral("4"), QStringLiteral("3")}));
    QCOMPARE(count.size(), 1);
    m_model->setMaximumCount(0);
    QCOMPARE(m_model->maximumCount(), 1);
    m_model->setMaximumCount(-7);
    QCOMPARE(maximum.size(), 2);
    add(QStringLiteral("5"));
    QCOMPARE(texts(), QStringList(QStringLiteral("5")));
}

void TestTranscriptionModel::clears()
{
    add(QStringLiteral("text"));
    QSignalSpy count(m_model.get(), &TranscriptionModel::countChanged);
    m_model->clearHistory();
    m_model->clearHistory();
    QCOMPARE(m_model->count(), 0);
    QCOMPARE(count.size(), 1);
}

void TestTranscriptionModel::survivesARestart()
{
    QSignalSpy changed(m_model.get(), &TranscriptionModel::storagePathChanged);
    m_model->setStoragePath(path());
    m_model->setStoragePath(path());
    QCOMPARE(changed.size(), 1);
    add(QStringLiteral("first"));
    add(QStringLiteral("second"));
    restart();
    QCOMPARE(m_model->count(), 0);
    QSignalSpy count(m_model.get(), &TranscriptionModel::countChanged);
    m_model->setStoragePath(path());
    QCOMPARE(texts(), QStringList({QStringLiteral("second"), QStringLiteral("first")}));
    QCOMPARE(count.size(), 1);
    QCOMPARE(m_model->data(m_model->index(0), TranscriptionModel::TimeRole).toDateTime(), m_time);
    QCOMPARE(m_model->data(m_model->index(0), TranscriptionModel::LanguageRole).toString(),
             QStringLiteral("en"));
    QCOMPARE(m_model->data(m_model->index(0), TranscriptionModel::LatencyRole).toReal(), 0.5);
}

void TestTranscriptionModel::survivesAClearing()
{
    m_model->setStoragePath(path());
    add(QStringLiteral("text"));
    m_model->clearHistory();
    restart();
    m_model->setStoragePath(path());
    QCOMPARE(m_model->count(), 0);
}

void TestTranscriptionModel::keepsTheNewestOfAFile()
{
    m_model->setStoragePath(path());
    for (int i = 0; i < 5; ++i)
        add(QString::number(i));
    restart();
    m_model->setMaximumCount(2);
    m_model->setStoragePath(path());
    QCOMPARE(texts(), QStringList({QStringLiteral("4"), QStringLiteral("3")}));
}

void TestTranscriptionModel::memoryJoinsAFile()
{
    m_model->setStoragePath(path());
    add(QStringLiteral("old"));
    restart();
    add(QStringLiteral("new"));
    m_model->setStoragePath(path());
    const QStringList both{QStringLiteral("new"), QStringLiteral("old")};
    QCOMPARE(texts(), both);
    restart();
    m_model->setStoragePath(path());
    QCOMPARE(texts(), both);
}

void TestTranscriptionModel::anotherFileIsAnotherHistory()
{
    m_model->setStoragePath(path());
    add(QStringLiteral("of the first"));
    m_model->setStoragePath(path(QStringLiteral("other.jsonl")));
    QCOMPARE(texts(), QStringList());
    add(QStringLiteral("of the other"));
    m_model->setStoragePath(path());
    QCOMPARE(texts(), QStringList(QStringLiteral("of the first")));
}

void TestTranscriptionModel::emptyPathIsMemoryOnly()
{
    m_model->setStoragePath(path());
    add(QStringLiteral("stored"));
    m_model->setStoragePath({});
    QCOMPARE(m_model->count(), 1);
    add(QStringLiteral("not stored"));
    restart();
    m_model->setStoragePath(path());
    QCOMPARE(texts(), QStringList(QStringLiteral("stored")));
}

void TestTranscriptionModel::saysThatItCannotStore()
{
    QSignalSpy failed(m_model.get(), &TranscriptionModel::storageFailed);
    m_model->setStoragePath(QStringLiteral("/proc/none/history.jsonl"));
    add(QStringLiteral("text"));
    QTRY_COMPARE(failed.size(), 1);
    QVERIFY(failed.first().first().toString().contains(QLatin1String("/proc/none")));
    QCOMPARE(m_model->count(), 1);
}

QTEST_GUILESS_MAIN(TestTranscriptionModel)
#include "test_transcriptionmodel.moc"
