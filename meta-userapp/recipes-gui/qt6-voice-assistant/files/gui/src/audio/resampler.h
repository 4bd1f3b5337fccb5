#pragma once

#include <QList>

/// Changes the sample rate of a stream, with a windowed-sinc low-pass: what lies above half the lower rate is
/// down by more than 70 dB, what lies below 0.84 of that half is level within 0.1 dB.
///
/// Output sample n belongs to the moment n / outputRate of the input; it comes 35 samples of the lower rate
/// later.
class Resampler
{
public:
    Resampler(int inputRate, int outputRate);

    /// The samples that `input` completes. How a stream is cut into inputs does not matter.
    QList<float> process(const QList<float> &input);

private:
    void makeFilter(double cutoff);
    float at(qsizetype begin, qint64 fraction) const;

    int m_step; ///< of the input per output sample, in units of 1 / m_divisor samples
    int m_divisor;
    int m_halfWidth = 0; ///< of the filter, in input samples
    int m_phases = 0; ///< rows of m_filter less one; the last row is the first, a sample later
    QList<float> m_filter; ///< row by row, 2 * m_halfWidth values each
    QList<float> m_input; ///< what is still needed
    qint64 m_position = 0; ///< of the next output sample, from m_input's begin, in 1 / m_divisor samples
};
