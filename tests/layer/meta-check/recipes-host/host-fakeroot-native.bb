SUMMARY = "Debian's pseudo in place of pseudo-native"
LICENSE = "MIT"

# virtual/fakeroot-native cannot be assumed to be provided, only replaced.
PROVIDES = "virtual/fakeroot-native"
INHIBIT_DEFAULT_DEPS = "1"

inherit native nopackages
