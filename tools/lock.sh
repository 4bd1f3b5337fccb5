#!/usr/bin/env bash
# Resolve pyproject.toml into requirements.lock (what runs in the car) and requirements-dev.lock
# (that, plus everything for converting models and developing).
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet uv 2>"$scratch/pip.log" || { cat "$scratch/pip.log" >&2; exit 1; }

resolve() { # OUTPUT COMMENT UV_ARGUMENT...
    local output=$1 comment=$2
    shift 2
    # The registry's address depends on where this runs, so it is kept out of the file.
    "$scratch/venv/bin/uv" pip compile pyproject.toml "$@" --quiet --no-header --output-file "$scratch/$output" \
        --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
        --no-emit-index-url --no-emit-find-links
    { printf '# %s\n# Made by `make lock` from pyproject.toml; do not edit.\n' "$comment"; sed "\\|-c $scratch|d" "$scratch/$output"; } >"$output"
    echo "$output: $(grep -c '==' "$output") packages"
}

# The larger one first: the run-time lock then takes the same versions, so that what is tested is what ships.
# torch is absent: its CPU and its registry build differ in hash, tools/setup.sh installs it by version.
resolve requirements-dev.lock "Run time, model conversion and development." \
    --extra convert --extra dev --no-emit-package torch
resolve requirements.lock "Run time only: what goes onto the device. For pip install --require-hashes." \
    --constraint "$scratch/requirements-dev.lock"
