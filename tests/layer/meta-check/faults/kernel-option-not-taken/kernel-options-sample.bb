SUMMARY = "A configured kernel without a kernel, for the check of options"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/MIT;md5=0835ade698e0bcf8506ecda2f7b4f302"

INHIBIT_DEFAULT_DEPS = "1"
inherit nopackages kernel_option_check

# The layer's own fragments; the configuration that they led to comes from CHECK_KERNEL_CONFIG.
FILESEXTRAPATHS:prepend := "${THISDIR}/../../../../../meta-userapp/recipes-kernel/linux/files:"
KERNEL_OPTION_FRAGMENTS = "voice-assistant-docker.cfg voice-assistant-usb-audio.cfg voice-assistant-virtio.cfg"
SRC_URI = "file://voice-assistant-docker.cfg file://voice-assistant-usb-audio.cfg file://voice-assistant-virtio.cfg"
CHECK_KERNEL_CONFIG ?= "/dev/null"
S = "${WORKDIR}/sources"
B = "${WORKDIR}/build"

do_configure() {
    cp ${CHECK_KERNEL_CONFIG} ${B}/.config
}
do_configure[dirs] = "${B}"
do_configure[nostamp] = "1"
do_check_kernel_options[nostamp] = "1"
do_compile[noexec] = "1"
do_install[noexec] = "1"
