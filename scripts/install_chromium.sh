#!/usr/bin/env bash
# Installs Debian's Chromium where none is, with fonts for letters and emoji:
# what the tests of the page look at.
set -euo pipefail

command -v chromium >/dev/null && exit 0
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update --quiet=2
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install --quiet=2 --yes --no-install-recommends \
    chromium fonts-dejavu-core fonts-noto-color-emoji >/dev/null
chromium --version
