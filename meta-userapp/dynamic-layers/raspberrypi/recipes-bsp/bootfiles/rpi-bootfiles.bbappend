require ${@bb.utils.contains('DISTRO_FEATURES', 'voice-assistant', 'dynamic-layers/raspberrypi/recipes-bsp/bootfiles/voice-assistant-bootfiles.inc', '', d)}
