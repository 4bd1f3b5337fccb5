#!/usr/bin/env bash
# Convert and quantise a checkpoint into the models directory, and select it. Started by `make model`.
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "$0")")")

source=${1:?usage: tools/install_model.sh CHECKPOINT [PRECISION]}
precision=${2:-int8}
models=$("$root/.venv/bin/python" -c '
import os
from rtap.model_store import ModelStore
print(ModelStore.from_environment(os.environ).models_dir)')
full=$(basename "$source")
name=$full

# The fp32 model stays: every other precision is made from it.
if [[ -f $models/$full/manifest.json ]]; then
    echo "$models/$full: converted before; remove it to convert it again"
else
    "$root/tools/convert_whisper" "$source" "$models/$full"
fi
if [[ $precision != fp32 ]]; then
    name=$full-$precision
    [[ -f $models/$name/manifest.json ]] ||
        "$root/tools/quantize" "$models/$full" "$models/$name" --precision "$precision"
fi
"$root/.venv/bin/rtap" models use "$name"
