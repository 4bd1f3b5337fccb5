#include "screen/waveformitem.h"

#include "audio/audioformat.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

constexpr qreal MostSeconds = 60;
constexpr qreal BarPitch = 6; // about, in pixels
constexpr qreal BarPart = 0.6; // of the pitch; the rest is gap
constexpr qreal LeastHeight = 2; // of a bar: silence is a dotted line

WaveformItem::WaveformItem(QQuickItem *parent)
    : QQuickPaintedItem(parent)
    , m_scroller(AudioFormat::PeaksPerSecond, qsizetype((MostSeconds + 1) * AudioFormat::PeaksPerSecond))
{
    connect(&m_clock, &FrameClock::ticked, this, &WaveformItem::move);
}

void WaveformItem::setColor(const QColor &color)
{
    if (color == m_color)
        return;
    m_color = color;
    update();
    emit colorChanged();
}

void WaveformItem::setSeconds(qreal seconds)
{
    seconds = std::clamp(seconds, 0.1, MostSeconds);
    if (seconds == m_seconds)
        return;
    m_seconds = seconds;
    update();
    emit secondsChanged();
}

void WaveformItem::setRunning(bool running)
{
    if (running == m_running)
        return;
    m_running = running;
    emit runningChanged();
}

void WaveformItem::addPeaks(const QList<float> &peaks)
{
    if (!m_running)
        return;
    m_scroller.add(peaks);
    if (m_clock.state() != QAbstractAnimation::Running)
        m_clock.start();
}

void WaveformItem::clear()
{
    m_clock.stop();
    m_scroller.clear();
    update();
}

void WaveformItem::move(double seconds)
{
    const double before = m_scroller.position();
    m_scroller.advance(seconds);
    if (m_scroller.position() != before)
        update();
    if (m_scroller.isAtRest())
        m_clock.stop();
}

void WaveformItem::paint(QPainter *painter)
{
    // Bars keep their peaks while they move, so that no bar changes its height on the way.
    const qreal peakWidth = width() / (m_seconds * AudioFormat::PeaksPerSecond);
    const qint64 peaksPerBar = std::max<qint64>(1, std::llround(BarPitch / peakWidth));
    const qreal pitch = qreal(peaksPerBar) * peakWidth;
    const double position = m_scroller.position();
    const auto newest = qint64(std::floor(position / double(peaksPerBar)));
    painter->setPen(Qt::NoPen);
    painter->setBrush(m_color);
    painter->setRenderHint(QPainter::Antialiasing); // or bars would jump from pixel to pixel
    for (qint64 bar = newest;; --bar) {
        const qint64 first = bar * peaksPerBar;
        const qreal x = width() - (position - double(first)) * peakWidth;
        if (x + pitch <= 0)
            break;
        // The root lets quiet speech be seen.
        const qreal peak = std::sqrt(m_scroller.greatest(first, first + peaksPerBar));
        const qreal height = std::max(LeastHeight, peak * this->height());
        painter->drawRect(QRectF(x, (this->height() - height) / 2, pitch * BarPart, height));
    }
}
