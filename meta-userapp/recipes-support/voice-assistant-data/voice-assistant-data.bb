SUMMARY = "The data partition, and what outlives a reboot on a read-only root"
DESCRIPTION = "Makes, checks and grows the file system of /data, and keeps the machine's identity and the state \
of system services on it."
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/MIT;md5=0835ade698e0bcf8506ecda2f7b4f302"

PV = "${VOICE_ASSISTANT_VERSION}"

SRC_URI = " \
    file://data-layout \
    file://data.mount \
    file://keep-state \
    file://prepare-data \
    file://voice-assistant-data.conf \
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
    install -m 0755 ${WORKDIR}/prepare-data ${WORKDIR}/keep-state ${D}${libexecdir}/voice-assistant
    install -m 0644 ${WORKDIR}/data.mount ${WORKDIR}/voice-assistant-data.service \
        ${WORKDIR}/voice-assistant-state.service ${D}${systemd_system_unitdir}
    install -D -m 0644 ${WORKDIR}/data-layout ${D}${datadir}/voice-assistant/data-layout
    install -D -m 0644 ${WORKDIR}/voice-assistant-data.conf ${D}${nonarch_libdir}/tmpfiles.d/voice-assistant-data.conf
    # In a device unit's name a dash of the path is written \x2d.
    sed -i -e 's/@PARTUUID@/${VOICE_ASSISTANT_DATA_PARTUUID}/' \
        -e 's/@UNIT@/${@d.getVar('VOICE_ASSISTANT_DATA_PARTUUID').replace('-', r'\\x2d')}/' \
        ${D}${systemd_system_unitdir}/data.mount ${D}${systemd_system_unitdir}/voice-assistant-data.service
}

SYSTEMD_SERVICE:${PN} = "data.mount voice-assistant-data.service voice-assistant-state.service"
FILES:${PN} += "/data ${nonarch_libdir}/tmpfiles.d ${datadir}/voice-assistant"
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
