#!/usr/bin/env bash
# Builds the server as it is released, and abuses it; what is given here is for
# the abuser (--help says what there is). The status is 0 if nothing was wrong.
set -euo pipefail
cd "$(dirname "$0")/.."

built="${CARGO_TARGET_DIR:-target}"
cargo build --quiet --release --bin cardroom
cargo build --quiet --example abuse
exec "$built/debug/examples/abuse" --binary "$built/release/cardroom" "$@"
