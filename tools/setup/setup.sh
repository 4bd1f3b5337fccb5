#!/usr/bin/env bash
# Make .venv with locked packages and this project in editable form: `tools/setup/setup.sh demo` with what running and
# converting take, which is what `make demo` starts; without an argument, as `make setup` does, with everything for
# tests and training as well. What is in .venv stays there: the second adds to the first, and the first takes nothing
# away. An interrupted set-up goes on where it stopped, and only another Python or another requirements-demo.lock
# makes .venv anew.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

readonly VENV=.venv
readonly SMALL_LOCK=requirements-demo.lock FULL_LOCK=requirements-dev.lock
# What .venv was begun with, and what it has whole.
readonly BEGUN=$VENV/.begun-with SMALL=$VENV/.demo-done FULL=$VENV/.setup-done
readonly FULL_SIZE="1.8 GB"
level=${1:-all}
again="make setup"
if [[ $level == demo ]]; then again="make demo"; fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
step=0 steps=1

fail() { # MESSAGE
    if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
    tail -n 20 "$log" >&2
    echo "setup: $1" >&2
    exit 2
}

announce() { # WHAT
    step=$((step + 1))
    echo "setup: [$step/$steps] $1"
}

# Keep pip's talk for the case that it fails; on a terminal show how far it is.
show_progress() { # PACKAGES
    local line seen=0
    while IFS= read -r line; do
        echo "$line" >>"$log"
        case $line in
            "Collecting "*) seen=$((seen + 1)) line=${line#Collecting } line="$seen/$1 ${line%%[=<>; (]*}" ;;
            "Installing collected"*) line="unpacking" ;;
            *) continue ;;
        esac
        if [[ -t 1 ]]; then printf '\r\033[K  %s' "$line"; fi
    done
    if [[ -t 1 ]]; then printf '\r\033[K'; fi
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>>"$log"; then
            command -v "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed: install it (Debian 12: apt-get install python3 python3-venv) or name one with PYTHON=..."
}

# Debian ships the interpreter without what a virtual environment needs.
require_venv_module() { # PYTHON
    "$1" -c 'import ensurepip, venv' 2>>"$log" && return
    local package
    package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    tools/setup/install_packages.sh "$package" 2>>"$log" || true
    "$1" -c 'import ensurepip, venv' 2>>"$log" ||
        fail "Python's venv module is missing: install the package $package (sudo apt-get install $package), then run $again again"
}

pip_install() { # PACKAGES ARGUMENT...
    local packages=$1
    shift
    "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input "$@" 2>&1 </dev/null |
        show_progress "$packages" || fail "pip failed, its last lines are above; mend the cause and run $again again, which goes on from here"
}

# What an interrupted pip left of a package: it lists its own mark last, when all files are in place.
remove_unfinished() {
    local package
    for package in "$VENV"/lib/python*/site-packages/*.dist-info; do
        if ! grep -qs '/INSTALLER,' "$package/RECORD"; then rm -rf "$package"; fi
    done
}

install_lock() { # LOCK
    # The lock is complete, so nothing outside it may come in through a dependency. Python compiles a module when it
    # is first imported; of most packages make demo imports little.
    pip_install "$(grep -c '==' "$1")" --no-compile --no-deps --require-hashes -r "$1"
}

# silero-vad names torch for Python code that nobody imports, see pyproject.toml.
fits_together() {
    local complaints
    complaints=$("$VENV/bin/python" -m pip check 2>&1) && return
    if [[ $level == demo ]]; then complaints=$(grep -v '^silero-vad .* requires torch' <<<"$complaints"); fi
    echo "$complaints" >>"$log"
    [[ -z $complaints ]]
}

# `make -j2 demo test` starts two at once. The lock is on the checkout, as .venv may be made anew.
await_turn() {
    local lock
    exec {lock}<.
    flock --nonblock "$lock" && return
    echo "setup: waiting for another set-up of $VENV"
    flock "$lock"
}

has() { # STAMP KEY
    [[ -x $VENV/bin/rtap && "$(cat "$1" 2>/dev/null)" == "$2" ]]
}

main() {
    local python torch begun_key full_key begun=no
    await_turn
    python=$(find_python) || exit
    torch=$(grep -o 'torch==[0-9.]*' pyproject.toml)
    begun_key=$({ "$python" --version; cat "$SMALL_LOCK"; } | sha256sum)
    full_key=$({ echo "$torch ${TORCH:-}"; cat "$SMALL_LOCK" "$FULL_LOCK"; } | sha256sum)
    if [[ -e $FULL ]]; then level=all; fi
    if [[ -x $VENV/bin/python && "$(cat "$BEGUN" 2>/dev/null)" == "$begun_key" ]]; then begun=yes; fi

    if [[ $begun == no ]]; then steps=$((steps + 1)); fi
    if ! has "$SMALL" "$begun_key"; then steps=$((steps + 1)); fi
    if [[ $level == all ]] && ! has "$FULL" "$full_key"; then steps=$((steps + 2)); fi
    if [[ $begun == no ]]; then
        require_venv_module "$python"
        announce "virtual environment, $("$python" --version)"
        rm -rf "$VENV"
        "$python" -m venv "$VENV" >>"$log" 2>&1 || fail "the virtual environment could not be made"
        echo "$begun_key" >"$BEGUN"
    fi
    remove_unfinished
    if ! has "$SMALL" "$begun_key"; then
        announce "locked packages, every one checked by its hash"
        install_lock "$SMALL_LOCK"
    fi
    if [[ $level == all ]] && ! has "$FULL" "$full_key"; then
        announce "locked packages for tests, type checks and training; with torch they make $VENV $FULL_SIZE large"
        install_lock "$FULL_LOCK"
        announce "torch, to compare and to train with"
        "$VENV/bin/python" tools/setup/install_torch.py "$torch" 2>&1 </dev/null | show_progress 1 ||
            fail "torch could not be installed, the reason is above; mend it and run $again again, which goes on from here"
        # All at once, on all cores: tests turn warnings of the compiler into errors.
        "$VENV/bin/python" -m compileall -qq -j 0 "$VENV"/lib/python*/site-packages >>"$log" 2>&1 || true
    fi
    announce "this project"
    pip_install 1 --no-deps --no-build-isolation --editable .
    fits_together || fail "the locked packages do not fit together; run make clean, then $again"
    echo "$begun_key" >"$SMALL"
    if [[ $level == all ]]; then echo "$full_key" >"$FULL"; fi
    echo "setup: ready in ${SECONDS} s ($VENV, $(du -sh "$VENV" | cut -f1))"
}

main
