#pragma once

#include "audio/audioinputs.h"

#include <QAudioDevice>
#include <QMediaDevices>
#include <QTimer>

/// The operating system's microphones.
///
/// They are looked through every second: Qt reports no change of PulseAudio's before 6.6, and none of ALSA's.
class SystemAudioInputs : public AudioInputs
{
    Q_OBJECT

public:
    explicit SystemAudioInputs(QObject *parent = nullptr);

    QStringList names() const override;
    QString defaultName() const override;
    std::unique_ptr<AudioCapture> open(const QString &name) override;

private:
    void look();

    QMediaDevices m_devices;
    QTimer m_timer;
    QStringList m_names; ///< as of the last look, and the default's
    QString m_defaultName;
};

/// Two devices of one make have the same description: the second gets a number.
QStringList distinctNames(const QStringList &descriptions);
