#pragma once

#include "audio/audiocapture.h"
#include "audio/resampler.h"
#include "audio/sampleconverter.h"
#include "audio/wavfile.h"

#include <QElapsedTimer>
#include <QTimer>

#include <optional>

/// A WAV file in place of a microphone: as slow as real time, and after its end silence, for a microphone has
/// no end.
class WavCapture : public AudioCapture
{
    Q_OBJECT

public:
    explicit WavCapture(const QString &path, QObject *parent = nullptr);

    /// From the beginning.
    QString start() override;
    void stop() override;

private:
    void play();

    QString m_path;
    WavFile m_file;
    std::optional<SampleConverter> m_converter;
    std::optional<Resampler> m_resampler;
    QTimer m_timer;
    QElapsedTimer m_clock;
    qint64 m_played = 0; ///< frames
    bool m_atEnd = false;
};
