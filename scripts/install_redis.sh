#!/usr/bin/env bash
# Installs Debian's redis-server where none is: the tests start their own, so
# no service of the system is enabled or started.
set -euo pipefail

command -v redis-server >/dev/null && exit 0
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
# Says no to every start that the package asks for.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod +x "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
"${as_root[@]}" apt-get update --quiet=2
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install --quiet=2 --yes --no-install-recommends redis-server >/dev/null
if command -v systemctl >/dev/null; then
    "${as_root[@]}" systemctl disable --quiet redis-server 2>/dev/null || true
fi
redis-server --version
