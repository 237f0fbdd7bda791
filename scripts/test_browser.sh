#!/usr/bin/env bash
# Plays on the page with real browsers: builds page and server, and writes a
# picture of every screen to target/screens. Needs cargo, node, npm and a Redis.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_chromium.sh
scripts/install_redis.sh
scripts/build_page.sh
cargo build --quiet
cd tests/browser
if ! cmp --silent package-lock.json node_modules/.installed-lock.json; then
    npm ci --no-audit --no-fund --silent
    cp package-lock.json node_modules/.installed-lock.json
fi
# Two files at a time: one of them mostly waits for a rate limit.
exec node --test --test-concurrency=2 ./*.test.mjs
