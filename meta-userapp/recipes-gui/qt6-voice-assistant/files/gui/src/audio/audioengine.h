#pragma once

#include <QByteArray>
#include <QList>
#include <QObject>
#include <QQmlEngine>
#include <QString>
#include <QStringList>
#include <QTimer>

#include <memory>

class AudioCapture;
class AudioInputs;

/// Captures from a microphone, in chunks of AudioFormat.
///
/// A microphone with another format is converted. Errors are sentences for the driver in `error`, which is
/// empty while nothing is wrong; capture that was cut off by an unplugged device goes on by itself when the
/// device is back and capture is still wanted.
class AudioEngine : public QObject
{
    Q_OBJECT
    QML_ELEMENT
    /// Names of all inputs for a person to choose from; changes when one is plugged in or out.
    Q_PROPERTY(QStringList inputDevices READ inputDevices NOTIFY inputDevicesChanged)
    /// The chosen input's name; empty is the system's default. A name that is absent now is kept for later:
    /// nothing else is opened in its place.
    Q_PROPERTY(QString inputDevice READ inputDevice WRITE setInputDevice NOTIFY inputDeviceChanged)
    /// Whether there is any microphone, or a source file in its place.
    Q_PROPERTY(bool available READ isAvailable NOTIFY inputDevicesChanged)
    Q_PROPERTY(bool capturing READ isCapturing NOTIFY capturingChanged)
    /// Loudness of the last 100 ms, 0 (-60 dBFS and below) to 1 (0 dBFS).
    Q_PROPERTY(qreal level READ level NOTIFY levelChanged)
    /// Stays after stopCapture(), until the next captureAudio(), another choice, or the microphone is there.
    Q_PROPERTY(QString error READ error NOTIFY errorChanged)
    /// A WAV file that plays in place of a microphone, in real time; for tests and demonstrations. Empty:
    /// none.
    Q_PROPERTY(QString sourceFile READ sourceFile WRITE setSourceFile NOTIFY sourceFileChanged)

public:
    explicit AudioEngine(QObject *parent = nullptr);
    /// With other microphones than the system's.
    explicit AudioEngine(std::unique_ptr<AudioInputs> inputs, QObject *parent = nullptr);
    ~AudioEngine() override;

    QStringList inputDevices() const { return m_inputDevices; }
    QString inputDevice() const { return m_inputDevice; }
    void setInputDevice(const QString &name);
    bool isAvailable() const;
    bool isCapturing() const { return m_capturing; }
    qreal level() const { return m_level; }
    QString error() const { return m_error; }
    QString sourceFile() const { return m_sourceFile; }
    void setSourceFile(const QString &path);

    /// Begins, or, where that fails, sets `error` and begins as soon as it can.
    Q_INVOKABLE void captureAudio();
    /// Ends; audioDataReady brings the last samples before this returns.
    Q_INVOKABLE void stopCapture();

signals:
    /// 1600 samples of little-endian 32-bit float (the last one before the end may hold fewer).
    void audioDataReady(const QByteArray &chunk);
    /// One peak (0 to 1) for each 10 ms, for the waveform.
    void peaksReady(const QList<float> &peaks);
    /// The source file has been played to its end.
    void sourceFileFinished();
    void inputDevicesChanged();
    void inputDeviceChanged();
    void capturingChanged();
    void levelChanged();
    void errorChanged();
    void sourceFileChanged();

private:
    QString wantedMicrophone() const;
    QString whyNoMicrophone() const;
    void begin();
    void end();
    void fail(const QString &sentence);
    void restart();
    void collect(const QList<float> &samples);
    void deliver(const QList<float> &samples);
    void followInputs();
    void setCapturing(bool capturing);
    void setLevel(qreal level);
    void setError(const QString &error);

    std::unique_ptr<AudioInputs> m_inputs;
    std::unique_ptr<AudioCapture> m_capture;
    QStringList m_inputDevices;
    QString m_inputDevice;
    QString m_openMicrophone; ///< empty while a file plays
    QString m_sourceFile;
    QString m_error;
    QList<float> m_pending; ///< less than a chunk
    QTimer m_retry;
    qreal m_level = 0;
    bool m_wanted = false; ///< between captureAudio() and stopCapture()
    bool m_capturing = false;
};
