#pragma once

#include <QList>
#include <QtGlobal>

/// The loudness of samples for a meter: the root of their mean square, -60 dBFS and below as 0, 0 dBFS (a
/// constant 1; a full sine has -3) as 1, evenly in decibels.
qreal levelOf(const QList<float> &samples);

/// The greatest magnitude of each `length` samples, at most 1; the last may be of fewer.
QList<float> peaksOf(const QList<float> &samples, int length);
