#!/usr/bin/env bash
# Install Debian packages that are missing: names, or @FILE with one name per line ("#" begins a comment).
# Exit status 0: all are there. 3: some are missing and may not be installed here; the last line says what to type.
set -euo pipefail

names=()
for argument in "$@"; do
    if [[ $argument == @* ]]; then
        while read -r name _; do
            if [[ -n $name && $name != \#* ]]; then names+=("$name"); fi
        done <"${argument#@}"
    else
        names+=("$argument")
    fi
done

# Prints those that are missing. Without dpkg none can be there.
missing() {
    local name
    for name in "${names[@]}"; do
        # "installed", not "config-files" or "half-configured"
        if [[ "$(dpkg-query --show --showformat '${db:Status-Status}' "$name" 2>/dev/null)" != installed ]]; then
            echo "$name"
        fi
    done
}

# One apt at a time: another one's turn, such as of a fresh machine's first updates, takes minutes. apt waits for
# dpkg's lock itself, but not for that of the lists.
readonly WAIT_SECONDS=${APT_WAIT_SECONDS:-600}
apt_get() { # ARGUMENT...
    local said until=$((SECONDS + WAIT_SECONDS))
    while true; do
        said=$("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
            apt-get -o "DPkg::Lock::Timeout=$WAIT_SECONDS" "$@" 2>&1) && break
        if [[ $said != *"Could not get lock"* ]] || ((SECONDS >= until)); then
            echo "$said"
            return 1
        fi
        sleep 1
    done
    echo "$said"
}

mapfile -t absent < <(missing)
if ((${#absent[@]} == 0)); then exit 0; fi

as_root=()
if ((EUID != 0)); then as_root=(sudo -n); fi
if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
    if ((${#absent[@]} == 1)); then
        echo "setup: installing the Debian package ${absent[0]}"
    else
        echo "setup: installing ${#absent[@]} Debian packages: ${absent[*]}"
    fi
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    { apt_get update && apt_get install --yes --no-install-recommends "${absent[@]}"; } >"$log" 2>&1 </dev/null ||
        tail -n 20 "$log" >&2
    mapfile -t absent < <(missing)
    if ((${#absent[@]} == 0)); then exit 0; fi
fi
echo "setup: missing: install ${absent[*]} (sudo apt-get install ${absent[*]})" >&2
exit 3
