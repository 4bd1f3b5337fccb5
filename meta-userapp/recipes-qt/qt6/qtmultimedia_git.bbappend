require ${@bb.utils.contains('DISTRO_FEATURES', 'voice-assistant', 'recipes-qt/qt6/voice-assistant-qtmultimedia.inc', '', d)}
