#include "screen/settingsmanager.h"

#include <QCoreApplication>
#include <QFile>
#include <QRegularExpression>
#include <QUrl>

#include <algorithm>

constexpr qsizetype LongestValue = 512;

static const QString BackendUrlKey = QStringLiteral("backend/url");
static const QString ApiKeyKey = QStringLiteral("backend/api_key");
static const QString ModelNameKey = QStringLiteral("backend/model");
static const QString LanguageKey = QStringLiteral("speech/language");
static const QString WakeWordKey = QStringLiteral("speech/wake_word");
static const QString InputDeviceKey = QStringLiteral("speech/input_device");
static const QString NightThemeKey = QStringLiteral("screen/night_theme");
static const QString UiLanguageKey = QStringLiteral("screen/language");

static bool matches(const QString &value, const char *pattern)
{
    const QRegularExpression expression(QRegularExpression::anchoredPattern(QLatin1String(pattern)));
    return value.size() <= LongestValue && expression.match(value).hasMatch();
}

static bool isBackendUrl(const QString &value)
{
    const QUrl url(value, QUrl::StrictMode);
    return url.isValid() && (url.scheme() == QLatin1String("http") || url.scheme() == QLatin1String("https"))
           && !url.host().isEmpty() && url.port(1) != 0
           && url
                  == QUrl(url.adjusted(QUrl::RemoveUserInfo | QUrl::RemovePath | QUrl::RemoveQuery
                                       | QUrl::RemoveFragment));
}

/// It goes into a line of HTTP's header.
static bool isApiKey(const QString &value)
{
    return matches(value, "[!-~]*");
}

static bool isLanguage(const QString &value)
{
    return value == QLatin1String("auto") || matches(value, "[a-z]{2,3}");
}

static bool isModelName(const QString &value)
{
    return matches(value, "([A-Za-z0-9][A-Za-z0-9._/-]*)?");
}

static bool isInputDevice(const QString &value)
{
    return value.size() <= LongestValue;
}

static bool isUiLanguage(const QString &value)
{
    return value.isEmpty() || value == QLatin1String("en") || value == QLatin1String("de");
}

/// As a person types it: with spaces around, or a slash behind.
static QString tidyUrl(const QString &url)
{
    const QString trimmed = url.trimmed();
    return trimmed.endsWith(QLatin1Char('/')) ? trimmed.chopped(1) : trimmed;
}

/// What the environment says, where that makes sense.
static QString fromEnvironment(const char *name, const QString &standard, bool (*isValid)(const QString &))
{
    const QString value = tidyUrl(qEnvironmentVariable(name));
    return !value.isEmpty() && isValid(value) ? value : standard;
}

/// QSettings stores nothing for a program without a name.
static QString nameOr(const QString &name)
{
    return name.isEmpty() ? QStringLiteral("voice-assistant") : name;
}

SettingsManager::SettingsManager(QObject *parent)
    : QObject(parent)
    , m_settings(QSettings::IniFormat, QSettings::UserScope, nameOr(QCoreApplication::organizationName()),
                 nameOr(QCoreApplication::applicationName()))
{
    load();
}

SettingsManager::SettingsManager(const QString &filePath, QObject *parent)
    : QObject(parent)
    , m_settings(filePath, QSettings::IniFormat)
{
    load();
}

void SettingsManager::load()
{
    const QString url =
        fromEnvironment("VOICE_ASSISTANT_BACKEND_URL", QStringLiteral("http://localhost:8000"), isBackendUrl);
    m_backendUrl = stored(BackendUrlKey, url, isBackendUrl);
    m_apiKey = stored(ApiKeyKey, fromEnvironment("VOICE_ASSISTANT_API_KEY", {}, isApiKey), isApiKey);
    m_language = stored(LanguageKey, QStringLiteral("auto"), isLanguage);
    m_modelName = stored(ModelNameKey, {}, isModelName);
    m_wakeWordEnabled = stored(WakeWordKey, true);
    m_inputDevice = stored(InputDeviceKey, {}, isInputDevice);
    m_nightTheme = stored(NightThemeKey, true);
    m_uiLanguage = stored(UiLanguageKey, {}, isUiLanguage);
}

QString SettingsManager::stored(const QString &key, const QString &standard,
                                bool (*isValid)(const QString &)) const
{
    const QVariant value = m_settings.value(key);
    // An unquoted comma in the file makes a list.
    if (value.typeId() != QMetaType::QString || !isValid(value.toString()))
        return standard;
    return value.toString();
}

bool SettingsManager::stored(const QString &key, bool standard) const
{
    const QString value = m_settings.value(key).toString();
    if (value == QLatin1String("true"))
        return true;
    return value == QLatin1String("false") ? false : standard;
}

template<typename Value>
void SettingsManager::change(Value &member, const Value &value, const QString &key, Signal changed)
{
    if (value == member)
        return;
    member = value;
    m_settings.setValue(key, value);
    m_settings.sync();
    if (m_settings.status() == QSettings::NoError) {
        // It may hold the API key.
        QFile::setPermissions(m_settings.fileName(), QFileDevice::ReadOwner | QFileDevice::WriteOwner);
    } else {
        emit storageFailed(
            tr("The settings cannot be stored in “%1”. Make room there.").arg(m_settings.fileName()));
    }
    emit(this->*changed)();
    emit settingsChanged();
}

void SettingsManager::setBackendUrl(const QString &url)
{
    const QString tidy = tidyUrl(url);
    if (!isBackendUrl(tidy)) {
        emit invalid(
            tr("“%1” is no address of a backend. Enter one such as http://localhost:8000.").arg(url));
        return;
    }
    change(m_backendUrl, tidy, BackendUrlKey, &SettingsManager::backendUrlChanged);
}

void SettingsManager::setApiKey(const QString &key)
{
    const QString trimmed = key.trimmed();
    if (!isApiKey(trimmed)) {
        emit invalid(
            tr("An API key has letters, digits and signs, but no spaces. Enter it as the backend has it."));
        return;
    }
    change(m_apiKey, trimmed, ApiKeyKey, &SettingsManager::apiKeyChanged);
}

void SettingsManager::setLanguage(const QString &language)
{
    if (!isLanguage(language)) {
        emit invalid(tr("“%1” is no language's code. Choose a language from the list.").arg(language));
        return;
    }
    change(m_language, language, LanguageKey, &SettingsManager::languageChanged);
}

void SettingsManager::setModelName(const QString &name)
{
    if (!isModelName(name)) {
        emit invalid(tr("“%1” is no model's name. Choose a model from the list.").arg(name));
        return;
    }
    change(m_modelName, name, ModelNameKey, &SettingsManager::modelNameChanged);
}

void SettingsManager::setWakeWordEnabled(bool enabled)
{
    change(m_wakeWordEnabled, enabled, WakeWordKey, &SettingsManager::wakeWordEnabledChanged);
}

void SettingsManager::setInputDevice(const QString &name)
{
    if (!isInputDevice(name)) {
        emit invalid(tr("The microphone's name is too long. Choose a microphone from the list."));
        return;
    }
    change(m_inputDevice, name, InputDeviceKey, &SettingsManager::inputDeviceChanged);
}

void SettingsManager::setNightTheme(bool night)
{
    change(m_nightTheme, night, NightThemeKey, &SettingsManager::nightThemeChanged);
}

void SettingsManager::setUiLanguage(const QString &language)
{
    if (!isUiLanguage(language)) {
        emit invalid(tr("There is no translation “%1”. Choose a language from the list.").arg(language));
        return;
    }
    change(m_uiLanguage, language, UiLanguageKey, &SettingsManager::uiLanguageChanged);
}
