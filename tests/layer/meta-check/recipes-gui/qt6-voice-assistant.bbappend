# Qt and the compiler are masked: a program that was compiled elsewhere takes the place of the compilation.
# Everything else of the recipe is done as it stands there.
INHIBIT_DEFAULT_DEPS = "1"
USERADDSETSCENEDEPS:forcevariable = ""
DEPENDS:remove = "base-files base-passwd shadow shadow-native shadow-sysroot virtual/libc"
DEPENDS:remove = "cmake-native ninja-native pkgconfig-native perl-native python3-native python3"
DEPENDS:remove = "qtbase qtbase-native qtdeclarative qtdeclarative-native qtmultimedia qttools-native qtwebsockets"
CHECK_GUI_PROGRAM ?= ""

do_configure[noexec] = "1"
do_compile[noexec] = "1"
do_install() {
    install -D -m 0755 ${CHECK_GUI_PROGRAM} ${D}${bindir}/qt6-voice-assistant
}

# The users of the build's own root file system; packages make theirs on the device.
python useradd_sysroot () {
}
useradd_sysroot_sstate () {
    :
}

# It was linked against Debian's libraries, which no package here provides, and already stripped.
INSANE_SKIP:${PN} += "file-rdeps already-stripped build-deps ldflags"
INHIBIT_PACKAGE_DEBUG_SPLIT = "1"
