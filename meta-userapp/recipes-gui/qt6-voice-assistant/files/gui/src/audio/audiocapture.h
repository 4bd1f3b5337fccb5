#pragma once

#include <QList>
#include <QObject>
#include <QString>

/// Where AudioEngine's sound comes from: a microphone, a file, or a test's own.
class AudioCapture : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;

    /// Empty, and samples follow; or why not, a sentence for the driver.
    virtual QString start() = 0;
    /// No sample follows. May be called from a receiver of the signals.
    virtual void stop() = 0;

signals:
    /// Mono, 16 kHz, -1 to 1; any number of them, at the pace of real time.
    void samplesReady(const QList<float> &samples);
    /// It ended against its will; a sentence for the driver.
    void failed(const QString &sentence);
    /// Only silence follows; once, and only of a source that has an end.
    void finished();
};
