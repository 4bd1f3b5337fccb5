#include "networklog.h"

Q_LOGGING_CATEGORY(networkLog, "voiceassistant.network")
