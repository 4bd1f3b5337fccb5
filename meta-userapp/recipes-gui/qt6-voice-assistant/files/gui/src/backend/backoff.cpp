#include "backend/backoff.h"

#include <array>

using namespace std::chrono_literals;

namespace {
constexpr std::array<std::chrono::milliseconds, 4> Waits{500ms, 1s, 2s, 5s};
}

std::chrono::milliseconds Backoff::next()
{
    const auto wait = Waits.at(m_attempt);
    if (m_attempt + 1 < Waits.size())
        ++m_attempt;
    return wait;
}

void Backoff::reset()
{
    m_attempt = 0;
}
