#pragma once

#include <QList>
#include <QtGlobal>

/// Turns peaks that come in bursts into a strip that glides: shown evenly, a little after they came. Reads no
/// clock.
class PeakScroller
{
public:
    /// `capacity`: how many of the newest peaks are kept.
    explicit PeakScroller(double peaksPerSecond, qsizetype capacity);

    void add(const QList<float> &peaks);
    void advance(double seconds);
    void clear();

    /// How many peaks have passed since the beginning; the right edge of the strip.
    double position() const { return m_position; }
    /// Whether everything that came has been shown.
    bool isAtRest() const { return m_position >= double(m_received); }
    /// The greatest of the peaks numbered from `begin` to before `end`; 0 where there are none, or none any
    /// more.
    float greatest(qint64 begin, qint64 end) const;

private:
    double m_peaksPerSecond;
    qsizetype m_capacity;
    QList<float> m_peaks; ///< the newest is the last
    qint64 m_received = 0; ///< since the beginning
    double m_position = 0;
    double m_hold = 0; ///< seconds to wait before the strip moves
};
