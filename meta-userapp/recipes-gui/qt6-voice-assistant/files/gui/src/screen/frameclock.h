#pragma once

#include <QAbstractAnimation>

/// Ticks once for each frame while it runs.
///
/// Qt Quick advances animations as its displays need it: with the vertical blank where there is one, every 16
/// ms where a software renderer has none. A timer of our own would beat against the one and outrun the other.
class FrameClock : public QAbstractAnimation
{
    Q_OBJECT

public:
    using QAbstractAnimation::QAbstractAnimation;

    int duration() const override { return -1; }

signals:
    /// The time since the last tick.
    void ticked(double seconds);

protected:
    void updateCurrentTime(int milliseconds) override;

private:
    int m_last = 0;
};
