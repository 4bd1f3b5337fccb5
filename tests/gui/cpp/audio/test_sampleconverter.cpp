#include "audio/sampleconverter.h"
#include "audio/tone.h"

#include <QTest>

#include <limits>

template<typename Sample>
static QByteArray bytesOf(const QList<Sample> &samples)
{
    return {reinterpret_cast<const char *>(samples.constData()), samples.size() * qsizetype(sizeof(Sample))};
}

static QAudioFormat format(QAudioFormat::SampleFormat sampleFormat, int channels)
{
    QAudioFormat format;
    format.setSampleRate(16000);
    format.setSampleFormat(sampleFormat);
    format.setChannelCount(channels);
    return format;
}

class TestSampleConverter : public QObject
{
    Q_OBJECT

private slots:
    void convertsEachFormat_data();
    void convertsEachFormat();
    void averagesChannels();
    void joinsFramesThatWereCut();
    void yieldsNothingThatIsNoSample();
};

void TestSampleConverter::convertsEachFormat_data()
{
    QTest::addColumn<QAudioFormat::SampleFormat>("sampleFormat");
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("8 bit") << QAudioFormat::UInt8 << bytesOf(QList<quint8>{0, 128, 192});
    QTest::newRow("16 bit") << QAudioFormat::Int16 << bytesOf(QList<qint16>{-32768, 0, 16384});
    QTest::newRow("32 bit") << QAudioFormat::Int32
                            << bytesOf(QList<qint32>{std::numeric_limits<qint32>::min(), 0, 1 << 30});
    QTest::newRow("float") << QAudioFormat::Float << bytesOf(QList<float>{-1, 0, 0.5F});
}

void TestSampleConverter::convertsEachFormat()
{
    QFETCH(QAudioFormat::SampleFormat, sampleFormat);
    QFETCH(QByteArray, bytes);
    QCOMPARE(SampleConverter(format(sampleFormat, 1)).toMono(bytes), QList<float>({-1, 0, 0.5F}));
}

void TestSampleConverter::averagesChannels()
{
    const QByteArray stereo = bytesOf(QList<float>{0.5F, 0.25F, 1, -1});
    QCOMPARE(SampleConverter(format(QAudioFormat::Float, 2)).toMono(stereo), QList<float>({0.375F, 0}));
}

void TestSampleConverter::joinsFramesThatWereCut()
{
    const QByteArray stereo = bytesOf(QList<qint16>{8192, 8192, -16384, -16384});
    SampleConverter converter(format(QAudioFormat::Int16, 2));
    QList<float> mono;
    for (const char byte : stereo)
        mono += converter.toMono(QByteArray(1, byte));
    QCOMPARE(mono, QList<float>({0.25F, -0.5F}));
}

void TestSampleConverter::yieldsNothingThatIsNoSample()
{
    const float infinity = std::numeric_limits<float>::infinity();
    const float notANumber = std::numeric_limits<float>::quiet_NaN();
    const QByteArray bytes = bytesOf(QList<float>{notANumber, infinity, -3, 7});
    QCOMPARE(SampleConverter(format(QAudioFormat::Float, 1)).toMono(bytes), QList<float>({0, 0, -1, 1}));
    QVERIFY(SampleConverter(QAudioFormat()).toMono("bytes of no format").isEmpty());
}

QTEST_APPLESS_MAIN(TestSampleConverter)
#include "test_sampleconverter.moc"
