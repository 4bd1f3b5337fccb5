#!/usr/bin/env bash
# Make .venv with the locked dependencies and this project in editable form. Started by `make setup`.
# Every step may run twice: an interrupted set-up starts afresh, a finished one with an unchanged lock
# only renews the project's own metadata.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

readonly VENV=.venv
readonly STAMP=$VENV/.setup-done
readonly STEPS=4
log=$(mktemp)
trap 'rm -f "$log"' EXIT
step=0

fail() { # MESSAGE
    if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
    tail -n 20 "$log" >&2
    echo "setup: $1" >&2
    exit 2
}

announce() { # WHAT
    step=$((step + 1))
    echo "setup: [$step/$STEPS] $1"
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
    tools/install_packages.sh "$package" 2>>"$log" || true
    "$1" -c 'import ensurepip, venv' 2>>"$log" ||
        fail "Python's venv module is missing: install the package $package (sudo apt-get install $package), then run make setup again"
}

pip_install() { # PACKAGES ARGUMENT...
    local packages=$1
    shift
    "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input "$@" 2>&1 </dev/null |
        show_progress "$packages" || fail "pip failed, its last lines are above; mend the cause and run make setup again"
}

install_locked() { # PYTHON TORCH
    rm -rf "$VENV"
    announce "virtual environment, $("$1" --version)"
    "$1" -m venv "$VENV" >>"$log" 2>&1 || fail "the virtual environment could not be made"
    announce "locked packages, every one checked by its hash"
    # The lock is complete, so nothing outside it may come in through a dependency.
    pip_install "$(grep -c '==' requirements-dev.lock)" --no-deps --require-hashes -r requirements-dev.lock
    announce "torch, for converting models only"
    # With dependencies: a CPU build finds all of them in place, a CUDA build brings its own libraries.
    pip_install 1 "$2"
}

main() {
    local python torch key
    python=$(find_python) || exit
    torch=$(grep -o 'torch==[0-9.]*' pyproject.toml)
    key=$({ "$python" --version; echo "$torch"; cat requirements-dev.lock; } | sha256sum)
    if [[ -x $VENV/bin/rtap && "$(cat "$STAMP" 2>/dev/null)" == "$key" ]]; then
        step=$((STEPS - 1))
    else
        require_venv_module "$python"
        install_locked "$python" "$torch"
    fi
    announce "this project"
    pip_install 1 --no-deps --no-build-isolation --editable .
    "$VENV/bin/python" -m pip check >>"$log" 2>&1 || fail "the locked packages do not fit together; run make lock"
    echo "$key" >"$STAMP"
    echo "setup: ready in ${SECONDS} s ($VENV, $(du -sh "$VENV" | cut -f1))"
}

main
