#pragma once

#include "audio/audiocapture.h"
#include "audio/resampler.h"
#include "audio/sampleconverter.h"

#include <QAudioDevice>
#include <QAudioFormat>
#include <QPointer>
#include <QTimer>

#include <memory>
#include <optional>

class QAudioSource;
class QIODevice;

/// A microphone, in whichever format it has.
///
/// It lives in the GUI's thread: the sound server keeps what was not fetched yet, and a second of sound costs
/// a few milliseconds of conversion, so a thread of its own would save nothing and cost queues.
class MicrophoneCapture : public AudioCapture
{
    Q_OBJECT

public:
    /// `name` is what the driver reads in messages.
    MicrophoneCapture(const QAudioDevice &device, const QString &name, QObject *parent = nullptr);
    ~MicrophoneCapture() override;

    QString start() override;
    void stop() override;

private:
    bool open(const QAudioFormat &format);
    void read();
    void checkState();
    void fail(const QString &sentence);

    QAudioDevice m_device;
    QString m_name;
    std::unique_ptr<QAudioSource> m_source;
    QPointer<QIODevice> m_stream; ///< m_source's
    std::optional<SampleConverter> m_converter;
    std::optional<Resampler> m_resampler;
    QTimer m_watchdog;
};
