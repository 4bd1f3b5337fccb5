#pragma once

#include "screen/frameclock.h"
#include "screen/peakscroller.h"

#include <QColor>
#include <QList>
#include <QQmlEngine>
#include <QQuickPaintedItem>

/// The last seconds of sound as bars that move with the display's frames; cheap enough for software
/// rendering.
class WaveformItem : public QQuickPaintedItem
{
    Q_OBJECT
    QML_ELEMENT
    Q_PROPERTY(QColor color READ color WRITE setColor NOTIFY colorChanged)
    /// Seconds that the width shows, at most 60.
    Q_PROPERTY(qreal seconds READ seconds WRITE setSeconds NOTIFY secondsChanged)
    /// Whether peaks are taken; set to false, it comes to rest after what it has. Standing still it costs
    /// nothing.
    Q_PROPERTY(bool running READ isRunning WRITE setRunning NOTIFY runningChanged)

public:
    explicit WaveformItem(QQuickItem *parent = nullptr);

    QColor color() const { return m_color; }
    void setColor(const QColor &color);
    qreal seconds() const { return m_seconds; }
    void setSeconds(qreal seconds);
    bool isRunning() const { return m_running; }
    void setRunning(bool running);

    /// From AudioEngine::peaksReady.
    Q_INVOKABLE void addPeaks(const QList<float> &peaks);
    Q_INVOKABLE void clear();

    void paint(QPainter *painter) override;

signals:
    void colorChanged();
    void secondsChanged();
    void runningChanged();

private:
    void move(double seconds);

    PeakScroller m_scroller;
    FrameClock m_clock{this};
    QColor m_color = Qt::white;
    qreal m_seconds = 4;
    bool m_running = false;
};
