#!/usr/bin/env bash
# Plays so many random sessions twice, with other votes, and compares what
# everybody else could see; then prints the matrix of permissions. Ends with a
# table of figures, or with the seed that repeats what was found.
#   scripts/secrecy.sh [schedules] [seed]
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_redis.sh
export SECRECY_SCHEDULES=${1:-1000}
if [ -n "${2:-}" ]; then
    export SECRECY_SEED=$2
fi
cargo test --quiet --test stories -- --nocapture --test-threads=1 rules::permissions secrecy::
