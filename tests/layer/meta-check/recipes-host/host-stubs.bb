SUMMARY = "Empty packages in place of those that our recipes need at run time and that are masked"
LICENSE = "MIT"

INHIBIT_DEFAULT_DEPS = "1"
inherit allarch

# The check finds out which are wanted; that they exist is for the task graph of the whole image to show.
CHECK_STUBS ?= ""
PACKAGES = "${CHECK_STUBS}"

python () {
    for package in d.getVar('PACKAGES').split():
        d.setVar('ALLOW_EMPTY:' + package, '1')
}
