# The upstream file is fetched from the network; this one has the lines that the recipe edits.
FILESEXTRAPATHS:prepend := "${THISDIR}/files:"
SRC_URI = "file://config.txt"
S = "${WORKDIR}"
