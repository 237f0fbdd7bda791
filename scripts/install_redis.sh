#!/usr/bin/env bash
# Installs Debian's redis-server where none is.
set -euo pipefail
cd "$(dirname "$0")"
./install_debian.sh redis-server
