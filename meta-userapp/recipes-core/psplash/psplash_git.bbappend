require ${@bb.utils.contains('DISTRO_FEATURES', 'voice-assistant', 'recipes-core/psplash/voice-assistant-psplash.inc', '', d)}
