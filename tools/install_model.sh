#!/usr/bin/env bash
# The same as tools/install_model, under the name that it had as a shell script.
exec "$(dirname "$(readlink -f "$0")")/install_model" "$@"
