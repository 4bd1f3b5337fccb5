#include "audio/wavcapture.h"

#include "audio/audioformat.h"

WavCapture::WavCapture(const QString &path, QObject *parent)
    : AudioCapture(parent)
    , m_path(path)
{
    m_timer.setTimerType(Qt::PreciseTimer);
    m_timer.setInterval(AudioFormat::ChunkMs);
    connect(&m_timer, &QTimer::timeout, this, &WavCapture::play);
}

QString WavCapture::start()
{
    stop();
    const QString fault = m_file.open(m_path);
    if (!fault.isEmpty())
        return fault;
    m_converter.emplace(m_file.format());
    m_resampler.emplace(m_file.format().sampleRate(), AudioFormat::SampleRate);
    m_played = 0;
    m_atEnd = false;
    m_clock.start();
    m_timer.start();
    return {};
}

void WavCapture::stop()
{
    m_timer.stop();
}

void WavCapture::play()
{
    // By the clock, not by the number of ticks: a tick that came late or never is made up for.
    const QAudioFormat format = m_file.format();
    const qint64 due = m_clock.elapsed() * format.sampleRate() / 1000 - m_played;
    m_played += due;
    QByteArray bytes = m_file.read(due);
    const qint64 missing = due * format.bytesPerFrame() - bytes.size();
    bytes.append(missing, '\0');
    emit samplesReady(m_resampler->process(m_converter->toMono(bytes)));
    if (missing > 0 && !m_atEnd && m_timer.isActive()) {
        m_atEnd = true;
        emit finished();
    }
}
