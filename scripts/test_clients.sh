#!/usr/bin/env bash
# Builds the server and plays with it: processes with the unmodified
# socket.io-client of npm. Needs cargo, node and npm.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_redis.sh
scripts/install_balancers.sh
scripts/install_clients.sh
cargo build --quiet
cd tests/clients
mapfile -t tests < <(find . -name '*.test.mjs' -not -path './node_modules/*' | sort)
# Both cores work, and neither is so busy that waiting turns into failing.
exec node --test --test-concurrency=2 "${tests[@]}"
