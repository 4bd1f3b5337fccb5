#pragma once

#include <chrono>

/// How long to wait before the next attempt: 0.5, 1, 2 and then always 5 s. Reads no clock.
class Backoff
{
public:
    /// The wait before the next attempt; the one after that is longer.
    std::chrono::milliseconds next();
    /// The last attempt succeeded: begin with the shortest wait again.
    void reset();

private:
    std::size_t m_attempt = 0;
};
