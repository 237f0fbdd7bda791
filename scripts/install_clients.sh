#!/usr/bin/env bash
# Installs the npm packages of the tests as the lock file names them, once.
set -euo pipefail
cd "$(dirname "$0")/../tests/clients"

if ! cmp --silent package-lock.json node_modules/.installed-lock.json; then
    npm ci --no-audit --no-fund --silent
    cp package-lock.json node_modules/.installed-lock.json
fi
