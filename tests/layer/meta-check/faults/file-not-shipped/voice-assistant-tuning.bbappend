# A file that no package takes.
do_install:append() {
    install -D -m 0644 /dev/null ${D}/opt/forgotten
}
