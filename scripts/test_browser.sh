#!/usr/bin/env bash
# Plays on the page with real browsers: builds page and server, and writes a
# picture of every screen to target/screens. Needs cargo, node and npm.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_chromium.sh
scripts/build_page.sh
cargo build --quiet
cd tests/browser
if ! cmp --silent package-lock.json node_modules/.installed-lock.json; then
    npm ci --no-audit --no-fund --silent
    cp package-lock.json node_modules/.installed-lock.json
fi
# One file at a time: a browser with five people in it keeps both cores busy.
exec node --test --test-concurrency=1 ./*.test.mjs
