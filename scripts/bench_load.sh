#!/usr/bin/env bash
# Builds what is compared and runs bench/load; what is given here is for it
# (--help says what there is). Needs node, npm and redis-server.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_redis.sh
(cd bench/peers/node && npm ci --silent --no-fund --no-audit)
cargo build --quiet --release --bin cardroom
cargo build --quiet --release --package cardroom-load --package cardroom-floor
exec target/release/cardroom-load "$@"
