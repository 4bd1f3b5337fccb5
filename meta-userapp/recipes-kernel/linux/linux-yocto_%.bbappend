require ${@bb.utils.contains('DISTRO_FEATURES', 'voice-assistant', 'recipes-kernel/linux/voice-assistant-kernel.inc', '', d)}
