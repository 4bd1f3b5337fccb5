#pragma once

#include <QString>

/// The version of the device's image and its build; empty on other systems. From the device itself, so that
/// it can be read while the backend is away.
QString systemVersion(const QString &osRelease = QStringLiteral("/etc/os-release"));
