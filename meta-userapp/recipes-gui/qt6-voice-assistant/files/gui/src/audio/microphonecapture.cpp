#include "audio/microphonecapture.h"

#include "audio/audioformat.h"

#include <QAudioSource>
#include <QIODevice>

#include <chrono>

using namespace std::chrono_literals;

// A microphone that is pulled out does not always say so: the sound server may keep the stream, silent for
// ever.
constexpr auto LongestGap = 2s;

/// The best first: what needs no conversion, what needs a simple one, what the device likes.
static QList<QAudioFormat> formatsToTry(const QAudioDevice &device)
{
    QAudioFormat format;
    format.setSampleRate(AudioFormat::SampleRate);
    format.setChannelCount(1);
    QList<QAudioFormat> formats;
    for (const QAudioFormat::SampleFormat sampleFormat : {QAudioFormat::Float, QAudioFormat::Int16}) {
        format.setSampleFormat(sampleFormat);
        if (device.isFormatSupported(format))
            formats += format;
    }
    const QAudioFormat preferred = device.preferredFormat();
    if (preferred.isValid() && !formats.contains(preferred))
        formats += preferred;
    return formats;
}

MicrophoneCapture::MicrophoneCapture(const QAudioDevice &device, const QString &name, QObject *parent)
    : AudioCapture(parent)
    , m_device(device)
    , m_name(name)
{
    m_watchdog.setSingleShot(true);
    m_watchdog.setInterval(LongestGap);
    connect(&m_watchdog, &QTimer::timeout, this, [this] {
        fail(tr("The microphone “%1” delivers no sound. Plug it in again, or choose another one in the "
                "settings.")
                 .arg(m_name));
    });
}

MicrophoneCapture::~MicrophoneCapture()
{
    stop();
}

QString MicrophoneCapture::start()
{
    stop();
    // A device may claim a format and still refuse it.
    const QList<QAudioFormat> formats = formatsToTry(m_device);
    for (const QAudioFormat &format : formats) {
        if (open(format))
            return {};
    }
    return tr("The microphone “%1” cannot be opened. Close other programs that record, or choose another "
              "microphone in "
              "the settings.")
        .arg(m_name);
}

void MicrophoneCapture::stop()
{
    m_watchdog.stop();
    if (!m_source)
        return;
    m_source->disconnect(this);
    m_source->stop();
    m_source.reset();
}

bool MicrophoneCapture::open(const QAudioFormat &format)
{
    m_source = std::make_unique<QAudioSource>(m_device, format);
    m_stream = m_source->start();
    if (!m_stream || m_source->error() != QAudio::NoError || m_source->state() == QAudio::StoppedState) {
        m_source.reset();
        return false;
    }
    m_converter.emplace(format);
    m_resampler.emplace(format.sampleRate(), AudioFormat::SampleRate);
    // Queued, so that a receiver of samplesReady may stop() without pulling the source from under its own
    // feet.
    connect(m_stream, &QIODevice::readyRead, this, &MicrophoneCapture::read, Qt::QueuedConnection);
    connect(m_source.get(), &QAudioSource::stateChanged, this, &MicrophoneCapture::checkState,
            Qt::QueuedConnection);
    m_watchdog.start();
    return true;
}

void MicrophoneCapture::read()
{
    if (!m_source || !m_stream)
        return; // a signal from before stop()
    const QList<float> samples = m_resampler->process(m_converter->toMono(m_stream->readAll()));
    if (samples.isEmpty())
        return;
    m_watchdog.start();
    emit samplesReady(samples);
}

void MicrophoneCapture::checkState()
{
    if (!m_source || m_source->state() != QAudio::StoppedState)
        return;
    fail(tr("The microphone “%1” was cut off. Plug it in again, or choose another one in the settings.")
             .arg(m_name));
}

void MicrophoneCapture::fail(const QString &sentence)
{
    stop();
    emit failed(sentence);
}
