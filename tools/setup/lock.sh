#!/usr/bin/env bash
# Resolve pyproject.toml into requirements.lock (what runs in the car), requirements-demo.lock (that, plus what
# converts models) and requirements-dev.lock (that, plus everything for training and developing), the voices of
# the training speech into requirements-voices.lock, the peers of the benchmark into requirements-bench.lock, and
# what builds and checks the image into requirements-image.lock.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet uv 2>"$scratch/pip.log" || { cat "$scratch/pip.log" >&2; exit 1; }

resolve() { # OUTPUT COMMENT SOURCE UV_ARGUMENT...
    local output=$1 comment=$2 source=$3
    shift 3
    # The registry's address depends on where this runs, so it is kept out of the file.
    "$scratch/venv/bin/uv" pip compile "$source" "$@" --quiet --no-header --output-file "$scratch/$output" \
        --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
        --no-emit-index-url --no-emit-find-links
    { printf '# %s\n# Made by `make lock` from %s; do not edit.\n' "$comment" "$source"; sed "\\|-c $scratch|d" "$scratch/$output"; } >"$output"
    echo "$output: $(grep -c '==' "$output") packages"
}

# The larger one first: the smaller ones then take the same versions, so that what is tested is what ships.
# torch is absent: its CPU and its registry build differ in hash, tools/setup/install_torch.py installs it by version.
resolve requirements-dev.lock "Run time, model conversion, training and development." pyproject.toml \
    --extra vad --extra kuksa --extra convert --extra evaluate --extra tools --extra reference --extra train --extra dev \
    --no-emit-package torch
# uv keeps to the versions of the file that it writes anew. As constraints they would leave no solution for processors
# that ONNX Runtime has no wheel for.
cp "$scratch/requirements-dev.lock" "$scratch/requirements-demo.lock"
resolve requirements-demo.lock "Run time and model conversion: what make demo needs, and tools without torch." pyproject.toml \
    --extra vad --extra convert --extra evaluate --extra tools
resolve requirements.lock "Run time only: what goes onto the device. For pip install --require-hashes." pyproject.toml \
    --extra vad --constraint "$scratch/requirements-dev.lock"
resolve requirements-voices.lock "Synthesisers for tools/train_cabin_model and tools/speak_commands. For pip install --no-deps --require-hashes." \
    tools/model/cabin/voices.in --no-deps
resolve requirements-bench.lock "Peers for tools/benchmark asr. For pip install --no-deps --require-hashes." \
    tools/benchmarks/asr/bench.in --no-deps
resolve requirements-image.lock "kas and oelint-adv, for tools/image and tools/image_check. For pip install --require-hashes." \
    tools/system/image_checks/requirements.in
