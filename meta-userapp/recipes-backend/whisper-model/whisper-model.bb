SUMMARY = "The voice assistant's speech model"
DESCRIPTION = "A model as `make model` leaves it, a folder of files and nothing that runs. The container reads it through \
a mount, so another model is another package and the container stays the same."
# Of what is here. The model's manifest.json says whose weights it holds.
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/MIT;md5=0835ade698e0bcf8506ecda2f7b4f302"

PV = "${VOICE_ASSISTANT_VERSION}"

# Absolute path of the model's folder; `make image` sets it. The image has this package where it is set.
WHISPER_MODEL ?= ""
# The checksum of the manifest.json in it, which holds those of all other files. By default any manifest will do.
WHISPER_MODEL_SHA256 ?= ""

WHISPER_MODEL_NAME = "${@os.path.basename(d.getVar('WHISPER_MODEL').rstrip('/'))}"
# Models that the system brings along; run-container mounts this folder.
WHISPER_MODELS = "${datadir}/voice-assistant/models"

SRC_URI = ""

# No code: the same for every processor.
inherit allarch

S = "${WORKDIR}/sources"

python () {
    model = d.getVar('WHISPER_MODEL').rstrip('/')
    if not model:
        return
    # Without the folder the recipe can be parsed all the same; do_fetch says what is wrong.
    manifest = os.path.join(model, 'manifest.json')
    bb.parse.mark_dependency(d, manifest)
    if not os.path.isfile(manifest):
        return
    directory, name = os.path.split(model)
    d.prependVar('FILESEXTRAPATHS', directory + ':')
    d.appendVar('SRC_URI', ' file://%s' % name)
    d.setVar('WHISPER_MODEL_FOLDER', os.path.join(d.getVar('WORKDIR'), name))
}

python whisper_model_check_folder() {
    model = d.getVar('WHISPER_MODEL')
    if not model:
        bb.fatal('WHISPER_MODEL is not set: it has to be the absolute path of a model. `make model` makes one, and '
                 '`make image` sets this')
    if not os.path.isabs(model):
        bb.fatal('WHISPER_MODEL is %s: it has to be an absolute path' % model)
    if not os.path.isfile(os.path.join(model, 'manifest.json')):
        bb.fatal('There is no model in %s, which WHISPER_MODEL names. Make one with `make model`' % model)
}
do_fetch[prefuncs] += "whisper_model_check_folder"

# bitbake verifies no checksum of a local file.
python do_verify_model() {
    import json
    import re

    model = d.getVar('WHISPER_MODEL')
    folder = d.getVar('WHISPER_MODEL_FOLDER')
    name = d.getVar('WHISPER_MODEL_NAME')
    if not re.fullmatch('[A-Za-z0-9_][A-Za-z0-9_.-]*', name):
        bb.fatal('The model is called "%s": rename its folder to letters, digits, dots and dashes' % name)
    manifest = os.path.join(folder, 'manifest.json')
    actual = bb.utils.sha256_file(manifest)
    expected = d.getVar('WHISPER_MODEL_SHA256').lower()
    if expected and actual != expected:
        bb.fatal('%s/manifest.json has the SHA-256 %s, expected is %s: set WHISPER_MODEL to that model, or '
                 'WHISPER_MODEL_SHA256 anew' % (model, actual, expected))
    try:
        with open(manifest, encoding='utf-8') as file:
            files = {path: record['sha256'] for path, record in json.load(file)['files'].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        bb.fatal('%s/manifest.json is no manifest of a model (%s). Make the model anew with `make model`'
                 % (model, error))
    for path, sha256 in files.items():
        if not re.fullmatch('[A-Za-z0-9_][A-Za-z0-9_.-]*', path):
            bb.fatal('%s/manifest.json names "%s", which is no name of a file in a model' % (model, path))
        present = os.path.join(folder, path)
        if not os.path.isfile(present) or bb.utils.sha256_file(present) != sha256:
            bb.fatal('%s in %s is missing or damaged: its SHA-256 is not the one in manifest.json. Make the model '
                     'anew with `make model`' % (path, model))
    with open(os.path.join(d.getVar('B'), 'files'), 'w', encoding='ascii') as file:
        file.writelines(path + '\n' for path in ['manifest.json', *sorted(files)])
}
do_verify_model[dirs] = "${B}"
do_verify_model[vardeps] += "WHISPER_MODEL_SHA256"
addtask verify_model after do_unpack before do_configure

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -d ${D}${WHISPER_MODELS}/${WHISPER_MODEL_NAME}
    while read -r file; do
        install -m 0644 ${WHISPER_MODEL_FOLDER}/$file ${D}${WHISPER_MODELS}/${WHISPER_MODEL_NAME}
    done <${B}/files
    # Which of the models is used where no setting says so.
    echo ${WHISPER_MODEL_NAME} >${D}${WHISPER_MODELS}/default
    chmod 0644 ${D}${WHISPER_MODELS}/default
}

FILES:${PN} += "${WHISPER_MODELS}"

# Weights hardly get smaller.
DPKG_BUILDCMD = "dpkg-deb -Zgzip -z1"
