#pragma once

#include <QTest>

/// Within which happens what a machine with nothing else to do has done at once; a busy one lets a program
/// stand still for seconds. Only a fault takes so long. Qt's own deadline is 5 s.
constexpr int SoonMs = 120'000;

#undef QTRY_COMPARE
#define QTRY_COMPARE(expression, expected) QTRY_COMPARE_WITH_TIMEOUT(expression, expected, SoonMs)
#undef QTRY_VERIFY
#define QTRY_VERIFY(expression) QTRY_VERIFY_WITH_TIMEOUT(expression, SoonMs)
