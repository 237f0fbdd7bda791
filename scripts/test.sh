#!/usr/bin/env bash
# Every test of the project: Rust, the functions as Lambda runs them, the
# stories of real clients, the typed client, the page in real browsers, then a
# minute of chaos.
# The last line is "N passed, M failed"; the status is 0 only if M is 0.
set -uo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
status=0

scripts/install_redis.sh || exit 1
scripts/install_clients.sh || exit 1
scripts/build_page.sh || exit 1
# The same schedules every time; `make secrecy` draws new ones.
export SECRECY_SEED=${SECRECY_SEED:-20261}
# Of the benches the one that holds the code to a promise.
cargo test --lib --bins --tests --examples --bench allocations --no-fail-fast 2>&1 | tee "$log/cargo" || status=1
scripts/test_functions.sh 2>&1 | tee --append "$log/cargo" || status=1
scripts/test_clients.sh 2>&1 | tee "$log/node" || status=1
scripts/test_web_client.sh 2>&1 | tee --append "$log/node" || status=1
scripts/test_browser.sh 2>&1 | tee --append "$log/node" || status=1
scripts/chaos.sh --short 2>&1 | tee "$log/chaos" || status=1

# cargo prints one result per binary, node a line per count, chaos one for all.
sum() { awk "$1 { n += $2 } END { print n + 0 }" "$3"; }
count() { sum '/^[0-9]+ passed, [0-9]+ failed$/' "$1" "$log/chaos"; }
passed=$(($(sum '/^test result:/' '$4' "$log/cargo") + $(sum '/^(#|ℹ) pass /' '$3' "$log/node") + $(count '$1')))
failed=$(($(sum '/^test result:/' '$6' "$log/cargo") + $(sum '/^(#|ℹ) fail /' '$3' "$log/node") + $(count '$3')))
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    failed=1 # something did not even build or start
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
