SUMMARY = "The voice assistant's screen"
DESCRIPTION = "A Qt Quick program for a touch screen, without a window system, as a user of its own."
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/MIT;md5=0835ade698e0bcf8506ecda2f7b4f302"

DEPENDS = " \
    qtbase \
    qtdeclarative \
    qtdeclarative-native \
    qtmultimedia \
    qttools-native \
    qtwebsockets \
"

PV = "${VOICE_ASSISTANT_VERSION}"

SRC_URI = " \
    file://gui \
    file://start-screen \
    file://voice-assistant.default \
    file://voice-assistant.service \
    file://voice-assistant.tmpfiles \
"

inherit features_check qt6-cmake systemd useradd

REQUIRED_DISTRO_FEATURES = "systemd opengl alsa"

S = "${WORKDIR}/gui"

# Where the screen is drawn: eglfs, linuxfb, offscreen or vnc. QEMU has no graphics processor.
VOICE_ASSISTANT_PLATFORM ?= "eglfs"
VOICE_ASSISTANT_PLATFORM:qemuall ?= "linuxfb"
# How picture and touch are turned, and the screen's mode; files/voice-assistant.default explains the values.
VOICE_ASSISTANT_DISPLAY_ROTATION ?= "auto"
VOICE_ASSISTANT_DISPLAY_MODE ?= "auto"
PACKAGE_ARCH = "${MACHINE_ARCH}"

python () {
    import re

    for name, value in (
        ('VOICE_ASSISTANT_PLATFORM', 'eglfs|linuxfb|offscreen|vnc'),
        ('VOICE_ASSISTANT_DISPLAY_ROTATION', 'auto|0|90|180|270'),
        ('VOICE_ASSISTANT_DISPLAY_MODE', 'auto|native|[1-9][0-9]*x[1-9][0-9]*(@[1-9][0-9]*)?'),
    ):
        if not re.fullmatch(value, d.getVar(name)):
            bb.fatal(f"{name} is '{d.getVar(name)}': use a value that matches {value}")
}

# Qt's resource compiler notes in its sources where each file lay, and the package of sources would tell it.
do_compile:append() {
    find ${B} -name 'qrc_*.cpp' -exec sed -i -e 's|${S}/||' -e 's|${B}/||' {} +
}

do_install:append() {
    install -D -m 0755 ${WORKDIR}/start-screen ${D}${libexecdir}/voice-assistant/start-screen
    install -D -m 0644 ${WORKDIR}/voice-assistant.service ${D}${systemd_system_unitdir}/voice-assistant.service
    install -D -m 0644 ${WORKDIR}/voice-assistant.default ${D}${sysconfdir}/default/voice-assistant
    sed -i \
        -e 's/@PLATFORM@/${VOICE_ASSISTANT_PLATFORM}/' \
        -e 's/@ROTATION@/${VOICE_ASSISTANT_DISPLAY_ROTATION}/' \
        -e 's/@MODE@/${VOICE_ASSISTANT_DISPLAY_MODE}/' \
        ${D}${sysconfdir}/default/voice-assistant
    install -D -m 0644 ${WORKDIR}/voice-assistant.tmpfiles ${D}${nonarch_libdir}/tmpfiles.d/voice-assistant.conf
}

USERADD_PACKAGES = "${PN}"
# udev makes the group render as well; whichever package comes first does it.
GROUPADD_PARAM:${PN} = "--system render"
USERADD_PARAM:${PN} = " \
    --system --user-group --no-create-home --home-dir /data/voice-assistant --shell /sbin/nologin \
    --groups audio,input,render,video voice-assistant \
"

SYSTEMD_SERVICE:${PN} = "voice-assistant.service"
FILES:${PN} += "${nonarch_libdir}/tmpfiles.d"
CONFFILES:${PN} = "${sysconfdir}/default/voice-assistant"
RDEPENDS:${PN} = " \
    qtbase-plugins \
    qtdeclarative-plugins \
    qtdeclarative-qmlplugins \
    ttf-roboto \
    voice-assistant-audio \
    voice-assistant-data \
"
