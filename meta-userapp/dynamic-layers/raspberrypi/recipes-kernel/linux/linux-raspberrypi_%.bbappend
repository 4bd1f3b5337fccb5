require ${@bb.utils.contains('DISTRO_FEATURES', 'voice-assistant', 'recipes-kernel/linux/voice-assistant-kernel.inc', '', d)}
require ${@bb.utils.contains('DISTRO_FEATURES', 'voice-assistant', 'dynamic-layers/raspberrypi/recipes-kernel/linux/voice-assistant-displays.inc', '', d)}
