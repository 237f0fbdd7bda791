#!/usr/bin/env bash
# Installs Debian's packages of these names where the programs of the same name
# are missing. The tests start their own: no service of the system is enabled
# or started.
set -euo pipefail

missing=()
for program in "$@"; do
    # Some are in /usr/sbin, which is not in everybody's path.
    PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || missing+=("$program")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
# Says no to every start that the packages ask for.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod +x "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
"${as_root[@]}" apt-get update --quiet=2
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install --quiet=2 --yes --no-install-recommends \
    "${missing[@]}" >/dev/null
if command -v systemctl >/dev/null; then
    "${as_root[@]}" systemctl disable --quiet "${missing[@]}" 2>/dev/null || true
fi
printf 'installed: %s\n' "${missing[*]}"
