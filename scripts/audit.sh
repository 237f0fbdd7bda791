#!/usr/bin/env bash
# What may be in Cargo.lock (deny.toml): bans, licences and sources. With
# ADVISORIES=1 also the RustSec database, which is fetched from the network.
# Builds cargo-deny once into target/tools, which takes some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
tool=target/tools/bin/cargo-deny
if ! "$tool" --version 2>/dev/null | grep --quiet --fixed-strings " $version"; then
    cargo install cargo-deny --version "$version" --locked --debug --root target/tools
fi
"$tool" check --show-stats bans licenses sources
[ -z "${ADVISORIES:-}" ] || "$tool" check advisories
