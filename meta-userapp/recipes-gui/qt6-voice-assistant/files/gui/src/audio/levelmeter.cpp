#include "audio/levelmeter.h"

#include <algorithm>
#include <cmath>
#include <numeric>

constexpr double Floor = -60; // dBFS

qreal levelOf(const QList<float> &samples)
{
    const double power = std::inner_product(samples.begin(), samples.end(), samples.begin(), 0.0)
                         / std::max<qsizetype>(1, samples.size());
    if (power <= 0)
        return 0;
    return std::clamp(1 - 10 * std::log10(power) / Floor, 0.0, 1.0);
}

QList<float> peaksOf(const QList<float> &samples, int length)
{
    QList<float> peaks;
    for (qsizetype begin = 0; begin < samples.size(); begin += length) {
        const qsizetype end = std::min(begin + length, samples.size());
        float peak = 0;
        for (qsizetype i = begin; i < end; ++i)
            peak = std::max(peak, std::abs(samples[i]));
        peaks += std::min(peak, 1.0F);
    }
    return peaks;
}
