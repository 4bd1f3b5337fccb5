# It installs three files of its own and compiles nothing.
INHIBIT_DEFAULT_DEPS = "1"
PACKAGE_WRITE_DEPS:remove = "update-rc.d-native"
