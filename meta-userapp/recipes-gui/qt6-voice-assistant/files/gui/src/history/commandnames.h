#pragma once

#include "backend/commandevents.h"

#include <QCoreApplication>
#include <QString>

/// What commands are called on the screen, in its language.
class CommandNames
{
    Q_DECLARE_TR_FUNCTIONS(CommandNames)

public:
    /// What it is about, as one of Icon's names; of commands that are not known here: sound.
    static QString area(const QString &command);
    /// One or two words, such as "Temperature"; empty for commands that are not known here.
    static QString title(const QString &command);
    /// Where in the car, such as "rear left"; empty: nowhere, or everywhere.
    static QString place(const Command &command);
    /// A place by the backend's name for it.
    static QString placeName(const QString &name);
};
