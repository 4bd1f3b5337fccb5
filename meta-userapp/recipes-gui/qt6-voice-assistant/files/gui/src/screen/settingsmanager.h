#pragma once

#include <QObject>
#include <QQmlEngine>
#include <QSettings>
#include <QString>

/// What the driver chose; stored at once, in the organisation's and application's QSettings (an INI file).
///
/// A value in the file that makes no sense counts as its default, and so does one that is absent.
class SettingsManager : public QObject
{
    Q_OBJECT
    QML_ELEMENT
    /// Default http://localhost:8000, or VOICE_ASSISTANT_BACKEND_URL. Anything but http(s)://host[:port] is
    /// refused.
    Q_PROPERTY(QString backendUrl READ backendUrl WRITE setBackendUrl NOTIFY backendUrlChanged)
    /// Sent to the backend as a bearer token where it wants one; empty by default, or
    /// VOICE_ASSISTANT_API_KEY.
    Q_PROPERTY(QString apiKey READ apiKey WRITE setApiKey NOTIFY apiKeyChanged)
    /// Language that is spoken: Whisper's code, or "auto", the default.
    Q_PROPERTY(QString language READ language WRITE setLanguage NOTIFY languageChanged)
    /// Empty, the default: the backend's own choice.
    Q_PROPERTY(QString modelName READ modelName WRITE setModelName NOTIFY modelNameChanged)
    /// True by default.
    Q_PROPERTY(
        bool wakeWordEnabled READ isWakeWordEnabled WRITE setWakeWordEnabled NOTIFY wakeWordEnabledChanged)
    /// Empty, the default: the system's default microphone.
    Q_PROPERTY(QString inputDevice READ inputDevice WRITE setInputDevice NOTIFY inputDeviceChanged)
    /// Night, the default, or day.
    Q_PROPERTY(bool nightTheme READ isNightTheme WRITE setNightTheme NOTIFY nightThemeChanged)
    /// Language of the screen: "" (the system's), "en", "de".
    Q_PROPERTY(QString uiLanguage READ uiLanguage WRITE setUiLanguage NOTIFY uiLanguageChanged)

public:
    explicit SettingsManager(QObject *parent = nullptr);
    /// Stored in this file instead.
    explicit SettingsManager(const QString &filePath, QObject *parent = nullptr);

    QString backendUrl() const { return m_backendUrl; }
    void setBackendUrl(const QString &url);
    QString apiKey() const { return m_apiKey; }
    void setApiKey(const QString &key);
    QString language() const { return m_language; }
    void setLanguage(const QString &language);
    QString modelName() const { return m_modelName; }
    void setModelName(const QString &name);
    bool isWakeWordEnabled() const { return m_wakeWordEnabled; }
    void setWakeWordEnabled(bool enabled);
    QString inputDevice() const { return m_inputDevice; }
    void setInputDevice(const QString &name);
    bool isNightTheme() const { return m_nightTheme; }
    void setNightTheme(bool night);
    QString uiLanguage() const { return m_uiLanguage; }
    void setUiLanguage(const QString &language);

signals:
    /// A value was refused, and the setting is what it was; a sentence for the driver.
    void invalid(const QString &message);
    /// What was chosen counts until the program ends, but the file cannot be written; a sentence for the
    /// driver.
    void storageFailed(const QString &message);
    /// After every change of one of the following.
    void settingsChanged();
    void backendUrlChanged();
    void apiKeyChanged();
    void languageChanged();
    void modelNameChanged();
    void wakeWordEnabledChanged();
    void inputDeviceChanged();
    void nightThemeChanged();
    void uiLanguageChanged();

private:
    using Signal = void (SettingsManager::*)();

    void load();
    QString stored(const QString &key, const QString &standard, bool (*isValid)(const QString &)) const;
    bool stored(const QString &key, bool standard) const;
    template<typename Value>
    void change(Value &member, const Value &value, const QString &key, Signal changed);

    QSettings m_settings;
    QString m_backendUrl;
    QString m_apiKey;
    QString m_language;
    QString m_modelName;
    QString m_inputDevice;
    QString m_uiLanguage;
    bool m_wakeWordEnabled = true;
    bool m_nightTheme = true;
};
