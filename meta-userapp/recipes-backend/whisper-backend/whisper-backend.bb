SUMMARY = "The voice assistant's speech service, as a container"
DESCRIPTION = "The container's archive, the unit that loads it into docker where it isn't there yet, \
the unit that runs it and watches its health, and docker's configuration."
# Of what is here. What is inside the container is in the SPDX document that is made with the archive.
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/MIT;md5=0835ade698e0bcf8506ecda2f7b4f302"

PV = "${VOICE_ASSISTANT_VERSION}"

# Absolute path of the docker-archive that tools/build_container makes; `make image` sets it.
WHISPER_BACKEND_TARBALL ?= ""
# Its checksum. By default that in the file beside it, WHISPER_BACKEND_TARBALL.sha256.
WHISPER_BACKEND_SHA256 ?= ""

SRC_URI = " \
    file://daemon.json \
    file://docker-data.conf \
    file://load-image \
    file://run-container \
    file://whisper-backend-load.service \
    file://whisper-backend.default \
    file://whisper-backend.service \
"

inherit features_check systemd

REQUIRED_DISTRO_FEATURES = "systemd virtualization"
# Nothing is compiled, but the container holds programs for one processor.
INHIBIT_DEFAULT_DEPS = "1"
COMPATIBLE_HOST = "(aarch64|x86_64).*-linux"

S = "${WORKDIR}/sources"

python () {
    tarball = d.getVar('WHISPER_BACKEND_TARBALL')
    if not tarball:
        return
    # Without the file the recipe can be parsed all the same; do_fetch says what is wrong.
    bb.parse.mark_dependency(d, tarball)
    if not os.path.isfile(tarball):
        return
    directory, name = os.path.split(tarball)
    d.prependVar('FILESEXTRAPATHS', directory + ':')
    # bitbake unpacks archives otherwise.
    d.appendVar('SRC_URI', ' file://%s;unpack=0' % name)
    d.setVar('WHISPER_BACKEND_ARCHIVE', os.path.join(d.getVar('WORKDIR'), name))
}

python whisper_backend_check_tarball() {
    tarball = d.getVar('WHISPER_BACKEND_TARBALL')
    if not tarball:
        bb.fatal('WHISPER_BACKEND_TARBALL is not set: it has to be the absolute path of the container that '
                 'tools/build_container makes. `make image` makes it and sets this')
    if not os.path.isabs(tarball):
        bb.fatal('WHISPER_BACKEND_TARBALL is %s: it has to be an absolute path' % tarball)
    if not os.path.isfile(tarball):
        bb.fatal('There is no %s, which WHISPER_BACKEND_TARBALL names. Make it with tools/build_container'
                 % tarball)
}
do_fetch[prefuncs] += "whisper_backend_check_tarball"

def whisper_backend_expected_sha256(d):
    """The checksum that was asked for, or else the one in the file beside the archive."""
    given = d.getVar('WHISPER_BACKEND_SHA256')
    if given:
        return given.lower()
    beside = d.getVar('WHISPER_BACKEND_TARBALL') + '.sha256'
    try:
        with open(beside, encoding='ascii') as checksum:
            return checksum.read().split()[0].lower()
    except (OSError, IndexError, UnicodeDecodeError):
        bb.fatal('%s holds no checksum. Make it with tools/build_container, or set WHISPER_BACKEND_SHA256'
                 % beside)

def whisper_backend_image_id(archive):
    """The ID under which docker will know the archive's image: the digest of its configuration."""
    import hashlib
    import json
    import tarfile

    try:
        with tarfile.open(archive) as members:
            manifest = json.load(members.extractfile('manifest.json'))
            if len(manifest) != 1:
                bb.fatal('%s holds %d images; one is expected' % (archive, len(manifest)))
            configuration = members.extractfile(manifest[0]['Config']).read()
    except (tarfile.TarError, KeyError, ValueError, TypeError) as error:
        bb.fatal('%s is no docker-archive (%s). Make it with tools/build_container' % (archive, error))
    return json.loads(configuration), 'sha256:' + hashlib.sha256(configuration).hexdigest()

# bitbake verifies no checksum of a local file.
python do_verify_tarball() {
    archive = d.getVar('WHISPER_BACKEND_ARCHIVE')
    expected = whisper_backend_expected_sha256(d)
    actual = bb.utils.sha256_file(archive)
    if actual != expected:
        bb.fatal('%s has the SHA-256 %s, expected is %s. Make it anew with tools/build_container'
                 % (d.getVar('WHISPER_BACKEND_TARBALL'), actual, expected))

    configuration, image_id = whisper_backend_image_id(archive)
    wanted = {'aarch64': 'arm64', 'x86_64': 'amd64'}[d.getVar('TARGET_ARCH')]
    if configuration.get('architecture') != wanted:
        bb.fatal('%s is for %s, this machine wants %s: tools/build_container --help says how to choose'
                 % (d.getVar('WHISPER_BACKEND_TARBALL'), configuration.get('architecture'), wanted))
    user = (configuration.get('config') or {}).get('User') or ''
    if not user.replace(':', '').isdigit():
        bb.fatal('The container runs as user "%s": it has to be a number, or number:number, because the '
                 'device gives that user its cache' % user)

    with open(os.path.join(d.getVar('B'), 'image-id'), 'w', encoding='ascii') as file:
        file.write(image_id + '\n')
    with open(os.path.join(d.getVar('B'), 'archive.sha256'), 'w', encoding='ascii') as file:
        file.write(actual + '\n')
}
do_verify_tarball[dirs] = "${B}"
do_verify_tarball[vardeps] += "WHISPER_BACKEND_SHA256"
addtask verify_tarball after do_unpack before do_configure

do_configure[noexec] = "1"
do_compile[noexec] = "1"

# Docker 20.10 writes a key into /etc/docker, which can't be written to. Later versions keep it in their data.
DOCKER_KEY_PATH = "${@bb.utils.contains('LAYERSERIES_CORENAMES', 'kirkstone', '/data/docker-key.json', '', d)}"

do_install() {
    install -d ${D}${localstatedir}/lib/docker/images
    install -m 0644 ${WHISPER_BACKEND_ARCHIVE} ${D}${localstatedir}/lib/docker/images/whisper-backend.tar

    install -d ${D}${datadir}/whisper-backend
    install -m 0644 ${B}/image-id ${B}/archive.sha256 ${D}${datadir}/whisper-backend

    install -d ${D}${libexecdir}/whisper-backend
    install -m 0755 ${WORKDIR}/load-image ${WORKDIR}/run-container ${D}${libexecdir}/whisper-backend

    install -D -m 0644 ${WORKDIR}/whisper-backend.default ${D}${sysconfdir}/default/whisper-backend
    install -D -m 0644 ${WORKDIR}/daemon.json ${D}${sysconfdir}/docker/daemon.json
    if [ -n "${DOCKER_KEY_PATH}" ]; then
        sed -i '1a\  "deprecated-key-path": "${DOCKER_KEY_PATH}",' ${D}${sysconfdir}/docker/daemon.json
    fi

    install -d ${D}${systemd_system_unitdir}/docker.service.d
    install -m 0644 ${WORKDIR}/whisper-backend-load.service ${WORKDIR}/whisper-backend.service \
        ${D}${systemd_system_unitdir}
    install -m 0644 ${WORKDIR}/docker-data.conf ${D}${systemd_system_unitdir}/docker.service.d/10-data.conf
}

SYSTEMD_SERVICE:${PN} = "whisper-backend-load.service whisper-backend.service"
FILES:${PN} += "${systemd_system_unitdir}/docker.service.d"
CONFFILES:${PN} = "${sysconfdir}/default/whisper-backend ${sysconfdir}/docker/daemon.json"
RDEPENDS:${PN} = "docker-moby voice-assistant-audio voice-assistant-data"

# The archive is compressed well enough, and a quarter of a gigabyte takes minutes to compress again.
DPKG_BUILDCMD = "dpkg-deb -Zgzip -z1"
