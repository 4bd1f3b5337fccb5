#include "screen/frameclock.h"

#include <utility>

void FrameClock::updateCurrentTime(int milliseconds)
{
    const int elapsed = milliseconds - std::exchange(m_last, milliseconds);
    if (elapsed > 0) // a start counts from 0 again
        emit ticked(elapsed / 1000.0);
}
