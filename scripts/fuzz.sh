#!/usr/bin/env bash
# scripts/fuzz.sh [TARGET…]: libFuzzer against the decoders of fuzz/targets, all
# of them unless named, each for TIME seconds (60) or RUNS inputs (at most TIME,
# if that is given too). SANITIZER=address takes the nightly toolchain and is
# some three times slower. Needs a C++ compiler.
#
# What is found is added to fuzz/target/corpus; what fails lies in fuzz/artifacts.
# Ends with a table, then "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../fuzz"

host=$(rustc -vV | sed -n 's/^host: //p')
# What cargo-fuzz passes; stable Rust takes it all but the sanitizers.
flags="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0"
toolchain=()
build=target
if [ -n "${SANITIZER:-}" ]; then
    toolchain=(+nightly)
    flags="$flags -Zsanitizer=$SANITIZER"
    build="target/$SANITIZER"
fi
if [ $# -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(basename --suffix .rs --multiple targets/*.rs); fi
bins=()
for target in "${targets[@]}"; do bins+=(--bin "$target"); done
RUSTFLAGS=$(echo $flags) cargo "${toolchain[@]}" build --release --target "$host" --target-dir "$build" "${bins[@]}" || exit 1

if [ -n "${RUNS:-}" ]; then limit=(-runs="$RUNS" ${TIME:+-max_total_time="$TIME"}); else limit=(-max_total_time="${TIME:-60}"); fi
mkdir -p artifacts target/log
./large.py
passed=0
failed=0
table=$(printf '%-18s %12s %8s %14s %12s  %s' target inputs corpus 'slowest us' 'most bytes' result)
for target in "${targets[@]}"; do
    found=target/corpus/$target log=target/log/$target
    mkdir -p "$found"
    options=(-max_len=65536 -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="artifacts/$target-")
    [ ! -e "dictionaries/$target.dict" ] || options+=(-dict="dictionaries/$target.dict")
    echo "== $target"
    if "$build/$host/release/$target" "${limit[@]}" "${options[@]}" "$found" "corpus/$target" >"$log" 2>&1; then
        passed=$((passed + 1)) result=ok
    else
        failed=$((failed + 1)) result="FAILED, see fuzz/$log"
        tail -n 30 "$log"
    fi
    inputs=$(awk '/^stat::number_of_executed_units/ { print $2 }' "$log")
    read -r slowest most < <(awk '/^slowest/ { slowest = $2; most = $5 } END { print slowest + 0, most + 0 }' "$log")
    table+=$'\n'$(printf '%-18s %12s %8s %14s %12s  %s' "$target" "${inputs:-?}" "$(find "$found" -type f | wc -l)" "$slowest" "$most" "$result")
done
echo "$table"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
