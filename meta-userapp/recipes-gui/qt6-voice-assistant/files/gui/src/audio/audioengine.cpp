#include "audio/audioengine.h"

#include "audio/audiocapture.h"
#include "audio/audioformat.h"
#include "audio/audioinputs.h"
#include "audio/levelmeter.h"
#include "audio/systemaudioinputs.h"
#include "audio/wavcapture.h"

#include <QtEndian>

#include <chrono>

using namespace std::chrono_literals;

constexpr qsizetype SamplesPerChunk = AudioFormat::SampleRate * AudioFormat::ChunkMs / 1000;
constexpr int SamplesPerPeak = AudioFormat::SampleRate / AudioFormat::PeaksPerSecond;
// A microphone that another program holds, or that fell silent, tells nobody when it is free again.
constexpr auto RetryInterval = 1s;

AudioEngine::AudioEngine(QObject *parent)
    : AudioEngine(std::make_unique<SystemAudioInputs>(), parent)
{
}

AudioEngine::AudioEngine(std::unique_ptr<AudioInputs> inputs, QObject *parent)
    : QObject(parent)
    , m_inputs(std::move(inputs))
    , m_inputDevices(m_inputs->names())
{
    connect(m_inputs.get(), &AudioInputs::changed, this, &AudioEngine::followInputs);
    m_retry.setSingleShot(true);
    m_retry.setInterval(RetryInterval);
    connect(&m_retry, &QTimer::timeout, this, &AudioEngine::begin);
}

AudioEngine::~AudioEngine() = default;

bool AudioEngine::isAvailable() const
{
    return !m_inputDevices.isEmpty() || !m_sourceFile.isEmpty();
}

void AudioEngine::setInputDevice(const QString &name)
{
    if (name == m_inputDevice)
        return;
    m_inputDevice = name;
    emit inputDeviceChanged();
    if (m_sourceFile.isEmpty())
        restart();
}

void AudioEngine::setSourceFile(const QString &path)
{
    if (path == m_sourceFile)
        return;
    m_sourceFile = path;
    emit sourceFileChanged();
    emit inputDevicesChanged(); // of `available`
    restart();
}

void AudioEngine::captureAudio()
{
    if (m_wanted && m_capturing)
        return;
    m_wanted = true;
    setError({}); // the same error is news once more
    begin();
}

void AudioEngine::stopCapture()
{
    m_wanted = false;
    end();
}

/// After another choice.
void AudioEngine::restart()
{
    setError({});
    if (m_wanted)
        begin();
}

QString AudioEngine::wantedMicrophone() const
{
    return m_inputDevice.isEmpty() ? m_inputs->defaultName() : m_inputDevice;
}

/// Empty if the wanted microphone is there.
QString AudioEngine::whyNoMicrophone() const
{
    if (m_inputDevices.isEmpty())
        return tr("There is no microphone. Plug one in.");
    if (!m_inputDevices.contains(wantedMicrophone())) {
        return tr("The microphone “%1” is not there. Plug it in, or choose another one in the settings.")
            .arg(m_inputDevice);
    }
    return {};
}

void AudioEngine::begin()
{
    end();
    if (!m_wanted) // by a receiver of the last samples
        return;
    if (m_sourceFile.isEmpty()) {
        const QString why = whyNoMicrophone();
        if (!why.isEmpty())
            return fail(why);
        m_openMicrophone = wantedMicrophone();
        m_capture = m_inputs->open(m_openMicrophone);
        if (!m_capture) // gone this instant: the change of the inputs is under way
            return fail(tr("There is no microphone. Plug one in."));
    } else {
        m_openMicrophone.clear();
        m_capture = std::make_unique<WavCapture>(m_sourceFile);
    }
    connect(m_capture.get(), &AudioCapture::samplesReady, this, &AudioEngine::collect);
    connect(m_capture.get(), &AudioCapture::failed, this, &AudioEngine::fail);
    connect(m_capture.get(), &AudioCapture::finished, this, &AudioEngine::sourceFileFinished);
    const QString fault = m_capture->start();
    if (!fault.isEmpty())
        return fail(fault);
    setError({});
    setCapturing(true);
}

void AudioEngine::end()
{
    m_retry.stop();
    if (m_capture) {
        m_capture->disconnect(this);
        m_capture->stop();
        m_capture.release()->deleteLater(); // this may be an answer to one of its signals
    }
    if (!m_pending.isEmpty())
        deliver(std::exchange(m_pending, {}));
    setLevel(0);
    setCapturing(false);
}

void AudioEngine::fail(const QString &sentence)
{
    end();
    setError(sentence);
    // A file that is bad stays bad, and a microphone that comes says so.
    if (m_wanted && m_sourceFile.isEmpty() && whyNoMicrophone().isEmpty())
        m_retry.start();
}

void AudioEngine::collect(const QList<float> &samples)
{
    m_pending += samples;
    while (m_pending.size() >= SamplesPerChunk) {
        const QList<float> chunk = m_pending.first(SamplesPerChunk);
        m_pending.remove(0, SamplesPerChunk);
        deliver(chunk); // whose receiver may stop the capture
    }
}

void AudioEngine::deliver(const QList<float> &samples)
{
    QByteArray chunk(samples.size() * qsizetype(sizeof(float)), Qt::Uninitialized);
    qToLittleEndian<float>(samples.constData(), samples.size(), chunk.data());
    emit audioDataReady(chunk);
    emit peaksReady(peaksOf(samples, SamplesPerPeak));
    setLevel(levelOf(samples));
}

void AudioEngine::followInputs()
{
    const QStringList now = m_inputs->names();
    if (now != m_inputDevices) {
        m_inputDevices = now;
        emit inputDevicesChanged();
    }
    if (!m_sourceFile.isEmpty())
        return;
    if (m_capturing) {
        if (m_inputDevices.contains(m_openMicrophone))
            return;
        if (whyNoMicrophone().isEmpty())
            return begin(); // the system's default is another one now
        fail(tr("The microphone “%1” was unplugged. Plug it in again, or choose another one in the settings.")
                 .arg(m_openMicrophone));
    } else if (whyNoMicrophone().isEmpty()) {
        restart();
    }
}

void AudioEngine::setCapturing(bool capturing)
{
    if (capturing == m_capturing)
        return;
    m_capturing = capturing;
    emit capturingChanged();
}

void AudioEngine::setLevel(qreal level)
{
    if (level == m_level)
        return;
    m_level = level;
    emit levelChanged();
}

void AudioEngine::setError(const QString &error)
{
    if (error == m_error)
        return;
    m_error = error;
    emit errorChanged();
}
