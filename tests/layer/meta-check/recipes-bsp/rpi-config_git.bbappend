# The upstream file is fetched from the network; this one has the lines that the recipe edits.
FILESEXTRAPATHS:prepend := "${THISDIR}/files:"
SRC_URI = "file://config.txt"
S = "${WORKDIR}"

# For the check of boot files: what the kernel's recipe, which is masked, would install.
do_deploy:append() {
    echo "${KERNEL_DEVICETREE}" >${DEPLOYDIR}/kernel-devicetree.txt
}
