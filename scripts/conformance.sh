#!/usr/bin/env bash
# Judges the WebSocket transport alone by the Autobahn cases (RFC 6455), which
# the Python package kosoku carries. Needs cargo and python3 with venv.
#
# Left out: 12.* and 13.*, permessage-deflate, which is not offered.
# The last line is "N passed, M failed"; the status is 0 only if M is 0.
set -euo pipefail
cd "$(dirname "$0")/.."

kosoku_version=0.1.0
target=${CARGO_TARGET_DIR:-target}
venv=$target/kosoku-$kosoku_version
report=$target/conformance/websocket
log=$target/conformance/websocket.log

cargo build --quiet --example conformance
[ -x "$venv/bin/kosoku" ] || {
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "kosoku==$kosoku_version"
}
rm -rf "$report"
mkdir -p "$report"

"$target/debug/examples/conformance" --profile websocket --port 0 >"$log" &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
address=
for _ in $(seq 100); do
    address=$(sed -n 's/^listening on //p' "$log")
    [ -n "$address" ] && break
    kill -0 "$server" # it may have failed to start
    sleep 0.1
done

# Its own status counts NON-STRICT as passed; the summary does not.
"$venv/bin/kosoku" "$address" -x '12.*' -x '13.*' -o "$report" || true
kill -0 "$server" # a server that died has passed nothing
python3 scripts/conformance_summary.py "$report/index.json"
