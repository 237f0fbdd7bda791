#!/usr/bin/env bash
# The functions' tests, built as the functions are: without the server. Cold
# start and size are printed; CARDROOM_FUNCTIONS_BIN, a folder with binaries, says
# which ones are run (target/function after `make functions`).
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_redis.sh
cargo test --package functions-support --package session-validate --package metrics-export --no-fail-fast -- --nocapture "$@"
