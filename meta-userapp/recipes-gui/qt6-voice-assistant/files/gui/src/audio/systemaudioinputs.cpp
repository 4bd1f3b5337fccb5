#include "audio/systemaudioinputs.h"

#include "audio/microphonecapture.h"

#include <chrono>

using namespace std::chrono_literals;

constexpr auto LookInterval = 1s;

SystemAudioInputs::SystemAudioInputs(QObject *parent)
    : AudioInputs(parent)
    , m_names(names())
    , m_defaultName(defaultName())
{
    connect(&m_devices, &QMediaDevices::audioInputsChanged, this, &SystemAudioInputs::look);
    connect(&m_timer, &QTimer::timeout, this, &SystemAudioInputs::look);
    m_timer.start(LookInterval);
}

void SystemAudioInputs::look()
{
    const QStringList now = names();
    const QString defaultNow = defaultName();
    if (now == m_names && defaultNow == m_defaultName)
        return;
    m_names = now;
    m_defaultName = defaultNow;
    emit changed();
}

QStringList SystemAudioInputs::names() const
{
    QStringList descriptions;
    const QList<QAudioDevice> devices = QMediaDevices::audioInputs();
    for (const QAudioDevice &device : devices)
        descriptions += device.description();
    return distinctNames(descriptions);
}

QString SystemAudioInputs::defaultName() const
{
    const QStringList all = names();
    if (all.isEmpty())
        return {};
    // Where nothing is the system's default, the first is as good as any.
    return all.at(qMax(0, QMediaDevices::audioInputs().indexOf(QMediaDevices::defaultAudioInput())));
}

std::unique_ptr<AudioCapture> SystemAudioInputs::open(const QString &name)
{
    const qsizetype index = names().indexOf(name);
    if (index < 0)
        return nullptr;
    return std::make_unique<MicrophoneCapture>(QMediaDevices::audioInputs().at(index), name);
}

QStringList distinctNames(const QStringList &descriptions)
{
    QStringList names;
    for (const QString &description : descriptions) {
        QString name = description;
        for (int number = 2; names.contains(name); ++number)
            name = QStringLiteral("%1 (%2)").arg(description).arg(number);
        names += name;
    }
    return names;
}
