#!/usr/bin/env bash
# Installs Debian's haproxy and nginx where they are missing: lint asks them
# about our configurations, the tests start their own.
set -euo pipefail
cd "$(dirname "$0")"
./install_debian.sh haproxy nginx
