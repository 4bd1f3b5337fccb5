#include "screen/screenlanguage.h"

#include <QGuiApplication>
#include <QLocale>
#include <QQmlEngine>

/// The system's, unless another language was chosen. English of no country has 24 hours.
static QLocale screenLocale(const QString &chosen)
{
    const QLocale system(QLocale::system().name());
    const QLocale locale = chosen.isEmpty() ? system : QLocale(chosen);
    if (locale.language() == system.language() && system != QLocale::c())
        return system;
    const bool isNeutral = locale.language() == QLocale::English || locale == QLocale::c();
    return isNeutral ? QLocale(QLocale::English, QLocale::UnitedKingdom) : locale;
}

ScreenLanguage::ScreenLanguage(QQmlEngine *engine)
    : QObject()
    , m_engine(engine)
{
    connect(engine, &QJSEngine::uiLanguageChanged, this, &ScreenLanguage::translate);
    translate();
}

void ScreenLanguage::translate()
{
    const QLocale locale = screenLocale(m_engine->uiLanguage());
    QLocale::setDefault(locale);
    QCoreApplication::removeTranslator(&m_translator);
    if (m_translator.load(locale, QStringLiteral("voice-assistant"), QStringLiteral("_"),
                          QStringLiteral(":/i18n")))
        QCoreApplication::installTranslator(&m_translator);
    QGuiApplication::setLayoutDirection(locale.textDirection());
    m_engine->retranslate();
}
