SUMMARY = "Settings of the system: processor speed, memory, journal, watchdog, network"
SUMMARY:voice-assistant-zram = "Swap in compressed memory"
DESCRIPTION = "What makes a board that is switched off by a key answer at once, wear out late, and start anew by \
itself when it hangs."
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/MIT;md5=0835ade698e0bcf8506ecda2f7b4f302"

PV = "${VOICE_ASSISTANT_VERSION}"

SRC_URI = " \
    file://full-speed \
    file://journal.conf \
    file://no-wait.conf \
    file://sysctl.conf \
    file://voice-assistant-speed.service \
    file://voice-assistant-zram.service \
    file://watchdog.conf \
    file://zram \
"

inherit allarch features_check systemd

REQUIRED_DISTRO_FEATURES = "systemd"

S = "${WORKDIR}/sources"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -d ${D}${libexecdir}/voice-assistant
    install -m 0755 ${WORKDIR}/full-speed ${WORKDIR}/zram ${D}${libexecdir}/voice-assistant

    install -d ${D}${systemd_system_unitdir}
    install -m 0644 ${WORKDIR}/voice-assistant-speed.service ${WORKDIR}/voice-assistant-zram.service \
        ${D}${systemd_system_unitdir}
    install -D -m 0644 ${WORKDIR}/no-wait.conf \
        ${D}${systemd_system_unitdir}/systemd-networkd-wait-online.service.d/10-voice-assistant.conf

    install -D -m 0644 ${WORKDIR}/journal.conf ${D}${systemd_unitdir}/journald.conf.d/10-voice-assistant.conf
    install -D -m 0644 ${WORKDIR}/watchdog.conf ${D}${systemd_unitdir}/system.conf.d/10-voice-assistant.conf
    install -D -m 0644 ${WORKDIR}/sysctl.conf ${D}${nonarch_libdir}/sysctl.d/60-voice-assistant.conf
}

# Swap in compressed memory, for models that are larger than a board's memory: IMAGE_INSTALL:append = " voice-assistant-zram".
PACKAGES =+ "voice-assistant-zram"

SYSTEMD_PACKAGES = "${PN} voice-assistant-zram"
SYSTEMD_SERVICE:${PN} = "voice-assistant-speed.service"
SYSTEMD_SERVICE:voice-assistant-zram = "voice-assistant-zram.service"

FILES:voice-assistant-zram += "${libexecdir}/voice-assistant/zram"
FILES:${PN} += "\
    ${nonarch_libdir}/sysctl.d \
    ${systemd_system_unitdir}/systemd-networkd-wait-online.service.d \
    ${systemd_unitdir}/journald.conf.d \
    ${systemd_unitdir}/system.conf.d \
"
RDEPENDS:voice-assistant-zram = "util-linux-mkswap util-linux-swaponoff"
