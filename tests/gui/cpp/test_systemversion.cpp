#include "systemversion.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

class TestSystemVersion : public QObject
{
    Q_OBJECT

private slots:
    void readsOsRelease_data();
    void readsOsRelease();
    void isEmptyWithoutTheFile();

private:
    QTemporaryDir m_folder;
};

void TestSystemVersion::readsOsRelease_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("version");
    // As the image's recipe writes it.
    QTest::newRow("device") << QByteArray("ID=voice-assistant\n"
                                          "PRETTY_NAME=\"Voice Assistant 1.2.3 (scarthgap)\"\n"
                                          "BUILD_ID=\"20261101093000\"\n"
                                          "IMAGE_VERSION=\"1.2.3\"\n"
                                          "VARIANT=\"Debug: root has no password\"\n"
                                          "VARIANT_ID=\"debug\"\n"
                                          "LAYERS=\"meta:0123456789ab meta-userapp:ba9876543210-dirty\"\n")
                            << "1.2.3 (20261101093000)";
    QTest::newRow("another system") << QByteArray("ID=debian\nVERSION_ID=\"12\"\nBUILD_ID=rolling\n") << "";
}

void TestSystemVersion::readsOsRelease()
{
    QFETCH(const QByteArray, text);
    QFile file(m_folder.filePath(QStringLiteral("os-release")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(text);
    file.close();
    QTEST(systemVersion(file.fileName()), "version");
}

void TestSystemVersion::isEmptyWithoutTheFile()
{
    QCOMPARE(systemVersion(m_folder.filePath(QStringLiteral("nothing"))), QString());
}

QTEST_GUILESS_MAIN(TestSystemVersion)
#include "test_systemversion.moc"
