#!/usr/bin/env bash
# Checks terraform/ without a cloud; installs what it needs below target/terraform.
# Arguments choose steps by a part of their names.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=target/terraform
offline=terraform/offline
mkdir -p "$tools"

if ! command -v terraform >/dev/null; then
  echo "terraform (1.11 or newer) is not installed" >&2
  exit 1
fi

# $1: name of the environment, the rest: what pip installs.
environment() {
  local name=$1 && shift
  local stamp="$tools/$name.stamp"
  local wanted
  wanted=$(printf '%s\n' "$@"; python3 --version; cat "$offline/requirements.txt")
  if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "${tools:?}/$name" "$stamp"
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
export CARDROOM_STUB_PB="$PWD/$tools/protocol"
if [ "$offline/tfplugin5.proto" -nt "$CARDROOM_STUB_PB/tfplugin5_pb2.py" ]; then
  mkdir -p "$CARDROOM_STUB_PB"
  "$python" -m grpc_tools.protoc -I "$offline" --python_out="$CARDROOM_STUB_PB" \
    --grpc_python_out="$CARDROOM_STUB_PB" "$offline/tfplugin5.proto"
fi

# The server is asked which settings it knows.
if [ -z "${CARDROOM_BIN:-}" ] && [ ! -x target/debug/cardroom ] && [ ! -x target/release/cardroom ]; then
  cargo build --quiet
fi

# The rights of the cache's users are tried with a real one.
scripts/install_redis.sh

exec "$python" -B "$offline/check.py" "$@"
