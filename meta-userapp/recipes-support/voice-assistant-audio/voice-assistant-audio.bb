SUMMARY = "ALSA's configuration: a microphone that several programs can use at once"
DESCRIPTION = "The default sound device as a card that is shared by ALSA itself, and the choice of the card."
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/MIT;md5=0835ade698e0bcf8506ecda2f7b4f302"

PV = "${VOICE_ASSISTANT_VERSION}"

SRC_URI = " \
    file://asound.conf \
    file://choose-microphone \
    file://voice-assistant-audio.rules \
    file://voice-assistant-audio.tmpfiles \
"

inherit allarch features_check

# choose-microphone starts services anew.
REQUIRED_DISTRO_FEATURES = "alsa systemd"

S = "${WORKDIR}/sources"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -D -m 0644 ${WORKDIR}/asound.conf ${D}${sysconfdir}/asound.conf
    install -D -m 0755 ${WORKDIR}/choose-microphone ${D}${libexecdir}/voice-assistant/choose-microphone
    # After udev's own rules, which give the nodes to group audio.
    install -D -m 0644 ${WORKDIR}/voice-assistant-audio.rules ${D}${nonarch_libdir}/udev/rules.d/90-voice-assistant-audio.rules
    install -D -m 0644 ${WORKDIR}/voice-assistant-audio.tmpfiles ${D}${nonarch_libdir}/tmpfiles.d/voice-assistant-audio.conf
}

FILES:${PN} += "${nonarch_libdir}/tmpfiles.d ${nonarch_libdir}/udev"
CONFFILES:${PN} = "${sysconfdir}/asound.conf"
RDEPENDS:${PN} = "util-linux-flock"
