#!/usr/bin/env bash
# Checks terraform/ without a cloud; installs what it needs below target/terraform.
# Arguments choose steps by a part of their names.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=target/terraform
offline=terraform/offline
mkdir -p "$tools"

if ! command -v terraform >/dev/null; then
  echo "FAIL  terraform (1.11 or newer) is not installed"
  echo "0 passed, 1 failed"
  exit 1
fi

# $1: name of the environment, the rest: what pip installs.
environment() {
  local name=$1 && shift
  local stamp="$tools/$name.stamp"
  local wanted
  wanted=$(printf '%s\n' "$@"; python3 --version; cat "$offline/requirements.txt")
  if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "${tools:?}/$name" "$stamp" "$tools/protocol"
    python3 -m venv "$tools/$name"
    "$tools/$name/bin/pip" install --quiet --disable-pip-version-check "$@" || return 1
    printf '%s\n' "$wanted" >"$stamp"
  fi
}

environment stub --requirement "$offline/requirements.txt"
# Of its own: it pins half of PyPI. Without it, its steps fail and say so.
if environment checkov 'checkov~=3.3'; then
  export CARDROOM_CHECKOV="$PWD/$tools/checkov/bin/checkov"
fi

python="$PWD/$tools/stub/bin/python"
protocol="$tools/protocol"
if [ "$offline/tfplugin5.proto" -nt "$protocol/tfplugin5_pb2.py" ]; then
  mkdir -p "$protocol"
  "$python" -m grpc_tools.protoc -I "$offline" --python_out="$protocol" \
    --grpc_python_out="$protocol" "$offline/tfplugin5.proto"
fi

# The server is asked which settings it knows. CARDROOM_BIN: one that is built.
if [ -z "${CARDROOM_BIN:-}" ]; then
  cargo build --quiet --bin cardroom
  export CARDROOM_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug/cardroom"
fi

# So are the functions.
if [ -z "${CARDROOM_FUNCTIONS_BIN:-}" ]; then
  cargo build --quiet --package session-validate --package metrics-export
  export CARDROOM_FUNCTIONS_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug"
fi

# The rights of the cache's users are tried with a real one.
scripts/install_redis.sh

exec "$python" -B "$offline/check.py" "$@"
