#include "backend/networklog.h"

// A backend that is still starting refuses every second; QT_LOGGING_RULES brings those lines back.
Q_LOGGING_CATEGORY(networkLog, "voiceassistant.network", QtInfoMsg)
