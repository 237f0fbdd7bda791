#!/usr/bin/env bash
# Prints the path of promtool; takes it out of Debian's package `prometheus`
# where there is none. The package is unpacked below target/, not installed:
# it would start a server.
set -euo pipefail
cd "$(dirname "$0")/.."

own=target/promtool/usr/bin/promtool
if path=$(command -v promtool); then
    echo "$path"
    exit 0
fi
if [ ! -x "$own" ]; then
    mkdir -p target/promtool
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # apt writes what it fetches as a user of its own, or as us.
    chmod 755 "$work"
    (cd "$work" && apt-get download --quiet=2 prometheus >&2) || {
        as_root=()
        [ "$(id -u)" -eq 0 ] || as_root=(sudo)
        "${as_root[@]}" apt-get update --quiet=2 >&2
        (cd "$work" && apt-get download --quiet=2 prometheus >&2)
    }
    dpkg -x "$work"/prometheus_*.deb target/promtool
fi
echo "$PWD/$own"
