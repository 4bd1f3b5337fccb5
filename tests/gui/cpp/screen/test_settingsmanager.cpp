#include "screen/settingsmanager.h"

#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

class TestSettingsManager : public QObject
{
    Q_OBJECT

private slots:
    void init();
    void cleanup();

    void hasDefaults();
    void environmentIsADefault();
    void badEnvironmentCountsForNothing();
    void roundTrip();
    void storesAtOnce();
    void signalsChangesOnly();
    void tidiesUrl_data();
    void tidiesUrl();
    void refuses_data();
    void refuses();
    void accepts_data();
    void accepts();
    void badStoredValuesAreDefaults();
    void isForTheOwnerAlone();
    void saysThatItCannotStore();
    void usesTheProgramsName();

private:
    QString path() const { return m_folder->filePath(QStringLiteral("settings.ini")); }

    std::unique_ptr<QTemporaryDir> m_folder;
};

static void clearEnvironment()
{
    qunsetenv("VOICE_ASSISTANT_BACKEND_URL");
    qunsetenv("VOICE_ASSISTANT_API_KEY");
}

void TestSettingsManager::init()
{
    m_folder = std::make_unique<QTemporaryDir>();
    QVERIFY(m_folder->isValid());
    clearEnvironment();
}

void TestSettingsManager::cleanup()
{
    clearEnvironment();
}

void TestSettingsManager::hasDefaults()
{
    const SettingsManager settings(path());
    QCOMPARE(settings.backendUrl(), QStringLiteral("http://localhost:8000"));
    QCOMPARE(settings.apiKey(), QString());
    QCOMPARE(settings.language(), QStringLiteral("auto"));
    QCOMPARE(settings.modelName(), QString());
    QVERIFY(settings.isWakeWordEnabled());
    QCOMPARE(settings.inputDevice(), QString());
    QVERIFY(settings.isNightTheme());
    QCOMPARE(settings.uiLanguage(), QString());
    QVERIFY(!QFile::exists(path())); // reading stores nothing
}

void TestSettingsManager::environmentIsADefault()
{
    qputenv("VOICE_ASSISTANT_BACKEND_URL", "http://backend:9000/");
    qputenv("VOICE_ASSISTANT_API_KEY", "key-of-the-image");
    {
        SettingsManager settings(path());
        QCOMPARE(settings.backendUrl(), QStringLiteral("http://backend:9000"));
        QCOMPARE(settings.apiKey(), QStringLiteral("key-of-the-image"));
        settings.setBackendUrl(QStringLiteral("http://chosen:8000"));
        settings.setApiKey({});
    }
    const SettingsManager settings(path());
    QCOMPARE(settings.backendUrl(), QStringLiteral("http://chosen:8000"));
    QCOMPARE(settings.apiKey(), QString());
}

void TestSettingsManager::badEnvironmentCountsForNothing()
{
    qputenv("VOICE_ASSISTANT_BACKEND_URL", "backend:9000");
    qputenv("VOICE_ASSISTANT_API_KEY", "two words");
    const SettingsManager settings(path());
    QCOMPARE(settings.backendUrl(), QStringLiteral("http://localhost:8000"));
    QCOMPARE(settings.apiKey(), QString());
}

void TestSettingsManager::roundTrip()
{
    {
        SettingsManager settings(path());
        settings.setBackendUrl(QStringLiteral("https://10.0.0.7:8443"));
        settings.setApiKey(QStringLiteral("a,b;c=d\"e"));
        settings.setLanguage(QStringLiteral("de"));
        settings.setModelName(QStringLiteral("openai/whisper-base.en"));
        settings.setWakeWordEnabled(false);
        settings.setInputDevice(QStringLiteral("Mikrofon (größer), \"USB\""));
        settings.setNightTheme(false);
        settings.setUiLanguage(QStringLiteral("de"));
    }
    const SettingsManager settings(path());
    QCOMPARE(settings.backendUrl(), QStringLiteral("https://10.0.0.7:8443"));
    QCOMPARE(settings.apiKey(), QStringLiteral("a,b;c=d\"e"));
    QCOMPARE(settings.language(), QStringLiteral("de"));
    QCOMPARE(settings.modelName(), QStringLiteral("openai/whisper-base.en"));
    QVERIFY(!settings.isWakeWordEnabled());
    QCOMPARE(settings.inputDevice(), QStringLiteral("Mikrofon (größer), \"USB\""));
    QVERIFY(!settings.isNightTheme());
    QCOMPARE(settings.uiLanguage(), QStringLiteral("de"));
}

void TestSettingsManager::storesAtOnce()
{
    SettingsManager settings(path());
    settings.setLanguage(QStringLiteral("fr"));
    QFile file(path());
    QVERIFY(file.open(QIODevice::ReadOnly));
    QVERIFY(file.readAll().contains("=fr"));
}

void TestSettingsManager::signalsChangesOnly()
{
    SettingsManager settings(path());
    QSignalSpy any(&settings, &SettingsManager::settingsChanged);
    QSignalSpy language(&settings, &SettingsManager::languageChanged);
    QSignalSpy night(&settings, &SettingsManager::nightThemeChanged);
    settings.setLanguage(QStringLiteral("auto"));
    settings.setNightTheme(true);
    QCOMPARE(any.size(), 0);
    settings.setLanguage(QStringLiteral("en"));
    settings.setLanguage(QStringLiteral("en"));
    QCOMPARE(language.size(), 1);
    QCOMPARE(any.size(), 1);
    settings.setNightTheme(false);
    QCOMPARE(night.size(), 1);
    QCOMPARE(any.size(), 2);
}

void TestSettingsManager::tidiesUrl_data()
{
    QTest::addColumn<QString>("typed");
    QTest::addColumn<QString>("url");
    QTest::newRow("slash") << QStringLiteral("http://car:8000/") << QStringLiteral("http://car:8000");
    QTest::newRow("spaces") << QStringLiteral(" http://car:8000 ") << QStringLiteral("http://car:8000");
    QTest::newRow("no port") << QStringLiteral("https://car.example")
                             << QStringLiteral("https://car.example");
    QTest::newRow("version 6") << QStringLiteral("http://[::1]:8000") << QStringLiteral("http://[::1]:8000");
}

void TestSettingsManager::tidiesUrl()
{
    QFETCH(QString, typed);
    QFETCH(QString, url);
    SettingsManager settings(path());
    QSignalSpy invalid(&settings, &SettingsManager::invalid);
    settings.setBackendUrl(typed);
    QCOMPARE(settings.backendUrl(), url);
    QCOMPARE(invalid.size(), 0);
}

void TestSettingsManager::refuses_data()
{
    QTest::addColumn<QByteArray>("property");
    QTest::addColumn<QString>("value");
    const QByteArray url = "backendUrl";
    QTest::newRow("nothing") << url << QString();
    QTest::newRow("no scheme") << url << QStringLiteral("car:8000");
    QTest::newRow("another scheme") << url << QStringLiteral("ftp://car:8000");
    QTest::newRow("no host") << url << QStringLiteral("http://:8000");
    QTest::newRow("scheme only") << url << QStringLiteral("http://");
    QTest::newRow("path") << url << QStringLiteral("http://car:8000/health");
    QTest::newRow("query") << url << QStringLiteral("http://car:8000?a=b");
    QTest::newRow("fragment") << url << QStringLiteral("http://car:8000#a");
    QTest::newRow("user") << url << QStringLiteral("http://me:secret@car:8000");
    QTest::newRow("port 0") << url << QStringLiteral("http://car:0");
    QTest::newRow("port too high") << url << QStringLiteral("http://car:70000");
    QTest::newRow("port in words") << url << QStringLiteral("http://car:eight");
    QTest::newRow("space") << url << QStringLiteral("http://my car:8000");
    const QByteArray key = "apiKey";
    QTest::newRow("words") << key << QStringLiteral("two words");
    QTest::newRow("header") << key << QStringLiteral("key\r\nHost: elsewhere");
    QTest::newRow("not ASCII") << key << QStringLiteral("schlüssel");
    QTest::newRow("endless") << key << QString(1000, QLatin1Char('k'));
    QTest::newRow("language's name") << QByteArray("language") << QStringLiteral("English");
    QTest::newRow("no language") << QByteArray("language") << QString();
    QTest::newRow("way out of the folder") << QByteArray("modelName") << QStringLiteral("../secret");
    QTest::newRow("model with a space") << QByteArray("modelName") << QStringLiteral("tiny base");
    QTest::newRow("endless device") << QByteArray("inputDevice") << QString(1000, QLatin1Char('d'));
    QTest::newRow("no translation") << QByteArray("uiLanguage") << QStringLiteral("fr");
}

void TestSettingsManager::refuses()
{
    QFETCH(QByteArray, property);
    QFETCH(QString, value);
    SettingsManager settings(path());
    const QVariant before = settings.property(property);
    QSignalSpy invalid(&settings, &SettingsManager::invalid);
    QSignalSpy changed(&settings, &SettingsManager::settingsChanged);
    settings.setProperty(property, value);
    QCOMPARE(settings.property(property), before);
    QCOMPARE(invalid.size(), 1);
    QVERIFY(invalid.first().first().toString().endsWith(QLatin1Char('.')));
    QCOMPARE(changed.size(), 0);
    QVERIFY(!QFile::exists(path()));
}

void TestSettingsManager::accepts_data()
{
    QTest::addColumn<QByteArray>("property");
    QTest::addColumn<QString>("value");
    QTest::newRow("three letters") << QByteArray("language") << QStringLiteral("yue");
    QTest::newRow("auto") << QByteArray("language") << QStringLiteral("auto");
    QTest::newRow("bundled") << QByteArray("modelName") << QStringLiteral("cabin-en");
    QTest::newRow("backend's choice") << QByteArray("modelName") << QString();
    QTest::newRow("English") << QByteArray("uiLanguage") << QStringLiteral("en");
    QTest::newRow("system's") << QByteArray("uiLanguage") << QString();
    QTest::newRow("no key") << QByteArray("apiKey") << QString();
}

void TestSettingsManager::accepts()
{
    QFETCH(QByteArray, property);
    QFETCH(QString, value);
    SettingsManager settings(path());
    QSignalSpy invalid(&settings, &SettingsManager::invalid);
    settings.setProperty(property, value);
    QCOMPARE(settings.property(property).toString(), value);
    QCOMPARE(invalid.size(), 0);
}

void TestSettingsManager::badStoredValuesAreDefaults()
{
    QFile file(path());
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("[backend]\nurl=nonsense\napi_key=two words\nmodel=../secret\n"
               "[speech]\nlanguage=a, list\nwake_word=perhaps\n"
               "[screen]\nnight_theme=\nlanguage=xx\n"
               "this is no INI file at all\n[[[\n");
    file.close();
    const SettingsManager settings(path());
    QCOMPARE(settings.backendUrl(), QStringLiteral("http://localhost:8000"));
    QCOMPARE(settings.apiKey(), QString());
    QCOMPARE(settings.modelName(), QString());
    QCOMPARE(settings.language(), QStringLiteral("auto"));
    QVERIFY(settings.isWakeWordEnabled());
    QVERIFY(settings.isNightTheme());
    QCOMPARE(settings.uiLanguage(), QString());
}

void TestSettingsManager::isForTheOwnerAlone()
{
    SettingsManager settings(path());
    settings.setApiKey(QStringLiteral("secret"));
    const QFileDevice::Permissions others =
        QFileDevice::ReadGroup | QFileDevice::WriteGroup | QFileDevice::ReadOther | QFileDevice::WriteOther;
    QVERIFY(!(QFile::permissions(path()) & others));
}

void TestSettingsManager::saysThatItCannotStore()
{
    SettingsManager settings(QStringLiteral("/proc/none/settings.ini"));
    QSignalSpy failed(&settings, &SettingsManager::storageFailed);
    settings.setLanguage(QStringLiteral("de"));
    QCOMPARE(settings.language(), QStringLiteral("de")); // until the end of the program
    QCOMPARE(failed.size(), 1);
}

void TestSettingsManager::usesTheProgramsName()
{
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, m_folder->path());
    SettingsManager().setLanguage(QStringLiteral("it"));
    QVERIFY(QFile::exists(m_folder->filePath(QStringLiteral("voice-assistant/test_settingsmanager.ini"))));
    QCoreApplication::setOrganizationName(QStringLiteral("cars"));
    QCoreApplication::setApplicationName(QStringLiteral("screen"));
    SettingsManager().setLanguage(QStringLiteral("es"));
    QVERIFY(QFile::exists(m_folder->filePath(QStringLiteral("cars/screen.ini"))));
}

QTEST_GUILESS_MAIN(TestSettingsManager)
#include "test_settingsmanager.moc"
