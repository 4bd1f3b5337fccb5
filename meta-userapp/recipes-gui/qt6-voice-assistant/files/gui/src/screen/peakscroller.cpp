#include "screen/peakscroller.h"

#include <algorithm>

// What a burst may come late without the strip standing still. A burst of 100 ms and this is how late a peak
// is shown.
constexpr double Margin = 0.03; // seconds
// Further behind than this, the sound's clock is faster than the display's: a tenth faster is seen by nobody.
constexpr double FarBehind = 0.25;
constexpr double CatchUp = 1.1;
// Further than this, the program stood still.
constexpr double TooFarBehind = 1.0;

PeakScroller::PeakScroller(double peaksPerSecond, qsizetype capacity)
    : m_peaksPerSecond(peaksPerSecond)
    , m_capacity(capacity)
{
}

void PeakScroller::add(const QList<float> &peaks)
{
    if (isAtRest())
        m_hold = Margin;
    m_peaks += peaks;
    m_received += peaks.size();
    if (m_peaks.size() > m_capacity)
        m_peaks.remove(0, m_peaks.size() - m_capacity);
}

void PeakScroller::advance(double seconds)
{
    const double held = std::min(m_hold, seconds);
    m_hold -= held;
    const double behind = (double(m_received) - m_position) / m_peaksPerSecond;
    if (behind > TooFarBehind)
        m_position = double(m_received) - FarBehind * m_peaksPerSecond;
    const double speed = m_peaksPerSecond * (behind > FarBehind ? CatchUp : 1);
    m_position = std::min(double(m_received), m_position + (seconds - held) * speed);
}

void PeakScroller::clear()
{
    m_peaks.clear();
    m_received = 0;
    m_position = 0;
    m_hold = 0;
}

float PeakScroller::greatest(qint64 begin, qint64 end) const
{
    const qint64 oldest = m_received - m_peaks.size();
    const qsizetype from = qsizetype(std::max(begin, oldest) - oldest);
    const qsizetype to = qsizetype(std::min(end, m_received) - oldest);
    if (from >= to)
        return 0;
    return *std::max_element(m_peaks.begin() + from, m_peaks.begin() + to);
}
