require ${@bb.utils.contains('DISTRO_FEATURES', 'voice-assistant', 'recipes-bsp/alsa-state/voice-assistant-alsa-state.inc', '', d)}
