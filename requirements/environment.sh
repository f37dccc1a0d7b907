#!/usr/bin/env bash
# Makes a virtual environment at $1, with the first Python found that is new enough; one that works is kept.
set -euo pipefail

fitting='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

# The locks are made for 3.11, so it comes first. Each is run, since a version manager's shims may lead nowhere.
find_python() {
    for name in python3.11 python3 python3.12 python3.13; do
        if "$name" -c "$fitting" 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "error: Tunesmith needs Python 3.11, 3.12 or 3.13; found: $(python3 --version 2>/dev/null || echo none)." \
        "On Debian 12: apt-get install python3 python3-venv" >&2
    exit 1
}

# Debian ships Python without what `python -m venv` needs.
need_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null && return
    local package
    package="$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "error: $1 cannot make virtual environments; install its venv module. On Debian: sudo apt-get install $package" >&2
        exit 1
    fi
    echo "installing $package"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
}

"$1/bin/python" -c "$fitting" 2>/dev/null && "$1/bin/python" -m pip --version &>/dev/null && exit
python=$(find_python)
need_venv "$python"
"$python" -m venv --clear "$1"
