require ${@bb.utils.contains('DISTRO_FEATURES', 'voice-assistant', 'recipes-core/images/voice-assistant-image.inc', '', d)}
