#!/usr/bin/env bash
# Makes the virtual environment and installs the pinned packages, when they have changed. Arguments: its folder, and
# "oracles" to install what slow rounds compare with as well.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=$1

fits() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null; }

if [ ! -x "$venv/bin/python" ] || ! fits "$venv/bin/python"; then
    chosen=
    for candidate in ${CONCORD_PYTHON:+"$CONCORD_PYTHON"} python3.11 python3.12 python3 python; do
        if command -v "$candidate" >/dev/null && fits "$candidate"; then
            chosen=$candidate
            break
        fi
    done
    if [ -z "$chosen" ]; then
        found=$(python3 --version 2>&1 || echo "no python3")
        echo "Concord needs Python 3.11 or 3.12, and finds $found." >&2
        echo "Install one of them (Debian, Ubuntu: apt install python3.11 python3.11-venv; macOS: brew install" >&2
        echo "python@3.11), or name one: make setup CONCORD_PYTHON=/path/to/python3.11" >&2
        exit 1
    fi
    echo "Making the virtual environment $venv with $("$chosen" --version)."
    rm -rf "$venv"
    if ! "$chosen" -m venv "$venv"; then
        rm -rf "$venv"
        echo "The virtual environment can't be made. On Debian and Ubuntu: apt install python3.11-venv" >&2
        exit 1
    fi
fi

# A digest, not a time stamp: a fresh clone and a switched branch have times that say nothing.
digest=$(cat requirements.txt requirements-dev.txt | "$venv/bin/python" -c \
    'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
if [ "$(cat "$venv/installed" 2>/dev/null)" != "$digest" ]; then
    echo "Installing the packages that requirements-dev.txt names."
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
    echo "$digest" >"$venv/installed"
    rm -f "$venv/installed-oracles"
fi

if [ "${2:-}" = oracles ] && ! cmp -s requirements-oracles.txt "$venv/installed-oracles"; then
    echo "Installing the packages that requirements-oracles.txt names."
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-oracles.txt
    cp requirements-oracles.txt "$venv/installed-oracles"
fi
