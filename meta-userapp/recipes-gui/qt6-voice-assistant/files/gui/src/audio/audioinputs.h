#pragma once

#include "audio/audiocapture.h"

#include <QObject>
#include <QString>
#include <QStringList>

#include <memory>

/// The microphones that there are at this moment.
class AudioInputs : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;

    /// For a person to choose from; no name comes twice.
    virtual QStringList names() const = 0;
    /// One of names(); empty if there is none.
    virtual QString defaultName() const = 0;
    /// Not started yet; null if no microphone has that name.
    virtual std::unique_ptr<AudioCapture> open(const QString &name) = 0;

signals:
    /// One was plugged in or out, or another is the default.
    void changed();
};
