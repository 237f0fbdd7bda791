#!/usr/bin/env bash
# Zips of the two functions as Lambda wants them (`provided.al2023`): one file
# `bootstrap` in each, in target/functions/ARCHITECTURE/NAME.zip; terraform takes
# their paths in `functions.session_validate_zip` and `functions.metrics_export_zip`.
#
#   scripts/package_functions.sh [arm64|x86_64]
#
# For another architecture than this machine's it needs cargo-lambda, or
# cargo-zigbuild with zig, and `rustup target add`. Without them and without an
# argument it packages for this machine's, and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

names=(session-validate metrics-export)
# Of Amazon Linux 2023.
glibc_max=2.34

case "$(uname -m)" in
aarch64 | arm64) host=arm64 ;;
x86_64) host=x86_64 ;;
*) host=$(uname -m) ;;
esac
wanted=${1:-arm64}
case "$wanted" in
arm64) target=aarch64-unknown-linux-gnu ;;
x86_64) target=x86_64-unknown-linux-gnu ;;
*) echo "architectures are arm64 and x86_64, not $wanted" >&2 && exit 2 ;;
esac

packages=()
for name in "${names[@]}"; do packages+=(--package "$name"); done
built=${CARGO_TARGET_DIR:-target}

has() { cargo "$1" --version >/dev/null 2>&1; }

if has lambda; then
    cargo lambda build --profile function "${packages[@]}" "--${wanted/_/-}"
    program() { echo "$built/lambda/$1/bootstrap"; }
elif has zigbuild; then
    cargo zigbuild --profile function "${packages[@]}" --target "$target.$glibc_max"
    program() { echo "$built/$target/function/$1"; }
else
    if [ "$wanted" != "$host" ]; then
        missing="neither cargo-lambda nor cargo-zigbuild is installed to build for $wanted"
        if [ $# -gt 0 ]; then
            echo "$missing" >&2
            exit 1
        fi
        echo "NOTE: $missing." >&2
        echo "NOTE: these packages are for $host; terraform's functions run on arm64." >&2
        wanted=$host
    fi
    cargo build --profile function "${packages[@]}"
    program() { echo "$built/function/$1"; }
fi

folder=$built/functions/$wanted
mkdir -p "$folder"
for name in "${names[@]}"; do
    program=$(program "$name")
    needs=$(grep --only-matching --text 'GLIBC_2\.[0-9]*' "$program" | sort --version-sort --unique | tail -n 1)
    newest=$(printf '%s\n' "${needs#GLIBC_}" "$glibc_max" | sort --version-sort | tail -n 1)
    if [ "$newest" != "$glibc_max" ]; then
        echo "$name needs $needs; Lambda has GLIBC_$glibc_max: build it with cargo-lambda or cargo-zigbuild" >&2
        exit 1
    fi
    # The same bytes give the same zip, so that nothing is deployed twice.
    python3 - "$program" "$folder/$name.zip" <<'PYTHON'
import sys, zipfile

program, package = sys.argv[1:]
entry = zipfile.ZipInfo("bootstrap")
entry.compress_type = zipfile.ZIP_DEFLATED
entry.external_attr = 0o100755 << 16
with open(program, "rb") as source, zipfile.ZipFile(package, "w") as zipped:
    zipped.writestr(entry, source.read(), compresslevel=9)
PYTHON
    printf '%s: %s bytes, zipped %s\n' "$folder/$name.zip" "$(stat -c %s "$program")" "$(stat -c %s "$folder/$name.zip")"
done
