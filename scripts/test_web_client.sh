#!/usr/bin/env bash
# Builds the typed client of web/client and plays with it and the real server.
# Needs cargo, node and npm.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_clients.sh
cargo build --quiet
cd web/client
npm run --silent build
exec node --test --test-concurrency=2 test/*.test.mjs
