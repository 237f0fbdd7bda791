#!/usr/bin/env bash
# Builds the judge and the server, and lets it judge; what is given here is
# for the judge (--help says what there is). With PLANTED=1 the planted bugs
# are played as well. The last line is "N passed, M failed".
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_redis.sh
scripts/install_clients.sh
built="${CARGO_TARGET_DIR:-target}/debug"
if [ -n "${PLANTED:-}" ]; then
    cargo build --quiet --features planted-bugs --bin cardroom
    mkdir -p "$built/../chaos/bin"
    cp "$built/cardroom" "$built/../chaos/bin/cardroom-planted"
    set -- --planted "$built/../chaos/bin/cardroom-planted" "$@"
fi
# Last, so that the program of that name is the one without bugs.
cargo build --quiet --bin cardroom --example chaos
exec "$built/examples/chaos" "$@"
