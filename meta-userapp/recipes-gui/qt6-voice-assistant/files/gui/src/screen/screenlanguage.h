#pragma once

#include <QObject>
#include <QTranslator>

class QQmlEngine;

/// Translates the screen into the language of `Qt.uiLanguage`, or else the system's, whenever that changes.
///
/// Dates, numbers and the direction of reading follow it.
class ScreenLanguage : public QObject
{
    Q_OBJECT

public:
    explicit ScreenLanguage(QQmlEngine *engine);

private:
    void translate();

    QQmlEngine *m_engine;
    QTranslator m_translator;
};
