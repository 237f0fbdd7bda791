#!/usr/bin/env bash
# Installs the npm packages of the tests and of `web` as their lock files name
# them, once each.
set -euo pipefail
cd "$(dirname "$0")/.."

for folder in tests/clients web; do
    (
        cd "$folder"
        cmp --silent package-lock.json node_modules/.installed-lock.json && exit
        npm ci --no-audit --no-fund --silent
        cp package-lock.json node_modules/.installed-lock.json
    )
done
