#pragma once

#include <QLoggingCategory>

/// What concerns the backend, for developers; sentences for the driver are made by Fault.
Q_DECLARE_LOGGING_CATEGORY(networkLog)
