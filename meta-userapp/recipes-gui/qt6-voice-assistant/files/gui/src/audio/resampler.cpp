#include "audio/resampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

constexpr double Pi = 3.14159265358979323846;
constexpr double ZeroCrossings = 32; // of the sinc, on either side
constexpr double KaiserBeta = 7.9; // 80 dB
// The middle of the transition, as a part of half the lower rate: its end is at half the rate with this width
// and beta.
constexpr double RollOff = 0.92;
// Rates that need more positions between two input samples than this are interpolated; the error is below
// -100 dB.
constexpr int MostPhases = 512;

/// The modified Bessel function of the first kind, order 0.
static double bessel0(double x)
{
    double sum = 1;
    double term = 1;
    for (int k = 1; term > sum * 1e-12; ++k) {
        term *= (x / 2 / k) * (x / 2 / k);
        sum += term;
    }
    return sum;
}

static double windowedSinc(double x)
{
    if (std::abs(x) >= ZeroCrossings)
        return 0;
    const double ratio = x / ZeroCrossings;
    const double window = bessel0(KaiserBeta * std::sqrt(1 - ratio * ratio)) / bessel0(KaiserBeta);
    return window * (x == 0 ? 1 : std::sin(Pi * x) / (Pi * x));
}

Resampler::Resampler(int inputRate, int outputRate)
    : m_step(inputRate / std::gcd(inputRate, outputRate))
    , m_divisor(outputRate / std::gcd(inputRate, outputRate))
{
    if (m_step == m_divisor)
        return;
    m_phases = std::min(m_divisor, MostPhases);
    makeFilter(RollOff * std::min(1.0, double(outputRate) / inputRate));
    m_input.fill(0, m_halfWidth - 1); // silence before the first sample
}

/// `cutoff` is a part of half the input's rate.
void Resampler::makeFilter(double cutoff)
{
    m_halfWidth = int(std::ceil(ZeroCrossings / cutoff));
    const int width = 2 * m_halfWidth;
    m_filter.resize(qsizetype(m_phases + 1) * width);
    for (int phase = 0; phase <= m_phases; ++phase) {
        const auto row = m_filter.begin() + qsizetype(phase) * width;
        double sum = 0;
        for (int tap = 0; tap < width; ++tap) {
            const double distance = tap - (m_halfWidth - 1) - double(phase) / m_phases;
            row[tap] = float(windowedSinc(distance * cutoff));
            sum += row[tap];
        }
        // Each row alone keeps the level, so that no phase is louder than another.
        std::transform(row, row + width, row, [sum](float value) { return float(value / sum); });
    }
}

/// The output sample whose filter begins at m_input[begin], `fraction` / m_divisor after the middle.
float Resampler::at(qsizetype begin, qint64 fraction) const
{
    const int width = 2 * m_halfWidth;
    const float *input = m_input.constData() + begin;
    const auto filtered = [&](qint64 phase) {
        const float *row = m_filter.constData() + phase * width;
        return std::inner_product(row, row + width, input, 0.0F);
    };
    const qint64 phase = fraction * m_phases / m_divisor;
    const float rest = float(fraction * m_phases % m_divisor) / float(m_divisor);
    const float first = filtered(phase);
    return rest == 0 ? first : first + rest * (filtered(phase + 1) - first);
}

QList<float> Resampler::process(const QList<float> &input)
{
    if (m_filter.isEmpty())
        return input;
    m_input += input;
    QList<float> output;
    qsizetype begin = qsizetype(m_position / m_divisor);
    while (begin + 2 * m_halfWidth <= m_input.size()) {
        output += at(begin, m_position % m_divisor);
        m_position += m_step;
        begin = qsizetype(m_position / m_divisor);
    }
    m_input.remove(0, begin);
    m_position -= qint64(begin) * m_divisor;
    return output;
}
