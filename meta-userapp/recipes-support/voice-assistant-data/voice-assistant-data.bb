SUMMARY = "The data partition, and what outlives a reboot on a read-only root"
DESCRIPTION = "Makes, checks and grows the file system of /data, and keeps the machine's identity and the state \
of system services on it."
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/MIT;md5=0835ade698e0bcf8506ecda2f7b4f302"

PV = "${VOICE_ASSISTANT_VERSION}"

SRC_URI = " \
    file://data-layout \
    file://data-partition \
    file://data.mount \
    file://keep-state \
    file://prepare-data \
    file://voice-assistant-data.conf \
    file://voice-assistant-data.rules \
    file://voice-assistant-data.service \
    file://voice-assistant-state.service \
"

inherit allarch features_check systemd

REQUIRED_DISTRO_FEATURES = "systemd"

S = "${WORKDIR}/sources"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -d ${D}${libexecdir}/voice-assistant ${D}${systemd_system_unitdir} ${D}/data
    install -m 0755 ${WORKDIR}/data-partition ${WORKDIR}/keep-state ${WORKDIR}/prepare-data \
        ${D}${libexecdir}/voice-assistant
    install -m 0644 ${WORKDIR}/data.mount ${WORKDIR}/voice-assistant-data.service \
        ${WORKDIR}/voice-assistant-state.service ${D}${systemd_system_unitdir}
    install -D -m 0644 ${WORKDIR}/data-layout ${D}${datadir}/voice-assistant/data-layout
    install -D -m 0644 ${WORKDIR}/voice-assistant-data.conf ${D}${nonarch_libdir}/tmpfiles.d/voice-assistant-data.conf
    install -D -m 0644 ${WORKDIR}/voice-assistant-data.rules ${D}${nonarch_libdir}/udev/rules.d/61-voice-assistant-data.rules
    sed -i -e 's/@PARTITION@/${VOICE_ASSISTANT_DATA_PARTITION}/' \
        ${D}${nonarch_libdir}/udev/rules.d/61-voice-assistant-data.rules
}

SYSTEMD_SERVICE:${PN} = "data.mount voice-assistant-data.service voice-assistant-state.service"
FILES:${PN} += "/data ${nonarch_libdir}/tmpfiles.d ${nonarch_libdir}/udev ${datadir}/voice-assistant"
RDEPENDS:${PN} = " \
    e2fsprogs-dumpe2fs \
    e2fsprogs-e2fsck \
    e2fsprogs-mke2fs \
    e2fsprogs-resize2fs \
    util-linux-blkid \
    util-linux-blockdev \
    util-linux-flock \
    util-linux-partx \
    util-linux-resizepart \
    util-linux-sfdisk \
"
