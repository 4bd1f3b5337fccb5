SUMMARY = "The voice assistant: backend, screen, and the system around them"
DESCRIPTION = "What core-image-base gets where DISTRO_FEATURES has voice-assistant."
LICENSE = "MIT"

PACKAGE_ARCH = "${MACHINE_ARCH}"
inherit packagegroup features_check
REQUIRED_DISTRO_FEATURES = "voice-assistant systemd virtualization opengl"

# Without a model of its own the image has the one in the container, which knows few words.
RDEPENDS:${PN} = " \
    ${@'whisper-model' if d.getVar('WHISPER_MODEL') else ''} \
    alsa-utils-amixer \
    alsa-utils-aplay \
    docker-moby \
    qt6-voice-assistant \
    tzdata-core \
    voice-assistant-audio \
    voice-assistant-data \
    voice-assistant-tuning \
    whisper-backend \
"
# Docker's network, USB microphones and QEMU's devices come as modules.
RRECOMMENDS:${PN} = " \
    kernel-modules \
"
