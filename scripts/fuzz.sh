#!/usr/bin/env bash
# scripts/fuzz.sh [TARGET…]: libFuzzer against the decoders of fuzz/targets, all
# of them unless named, one after the other on one core, behind everybody else
# (nice). Each for TIME seconds (60), or for RUNS inputs (at most TIME, if that is
# given too). SANITIZER=address takes the nightly toolchain and is some three
# times slower. Needs a C++ compiler.
#
# What is found is added to fuzz/target/corpus; what fails lies in fuzz/artifacts.
# Ends with a table (fuzz/target/table.txt), then "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../fuzz"

# As large as inputs of a target are made; what is longer says the same more
# often. One of LARGE_SHARE is as large as a peer may send, and so are those of
# large.py.
declare -A bytes_max=(
    [client_event]=1024 [emission]=512 [engine]=256 [forwarded_for]=512 [handshake]=512
    [log_entry]=512 [player_token]=256 [polling_payload]=512 [proxy_header]=600 [relay]=512
    [rest_body]=1024 [snapshot]=1024 [socketio_session]=512 [story_import]=512 [websocket_frames]=1024
)
LARGE_BYTES=65536
LARGE_SHARE=1000

host=$(rustc -vV | sed -n 's/^host: //p')
# What cargo-fuzz passes; stable Rust takes it all but the sanitizers.
flags="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0"
toolchain=()
build=target
export RUSTC_WRAPPER="$PWD/rustc.sh"
if [ -n "${SANITIZER:-}" ]; then
    toolchain=(+nightly)
    flags="$flags -Zsanitizer=$SANITIZER"
    build="target/$SANITIZER"
fi
if [ $# -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(basename --suffix .rs --multiple targets/*.rs); fi
bins=()
for target in "${targets[@]}"; do bins+=(--bin "$target"); done
RUSTFLAGS=$(echo $flags) cargo "${toolchain[@]}" build --release --target "$host" --target-dir "$build" "${bins[@]}" || exit 1

mkdir -p artifacts target/log
./large.py

# fuzz FLAG…: one run of $target, its words at the end of $log; its time on a
# processor is added to $cpu.
fuzz() {
    local TIMEFORMAT='%U %S' status=0 spent
    { spent=$({ time nice -n 19 "$build/$host/release/$target" "${options[@]}" "$@" >>"$log" 2>&1 3>&-; } 2>&1) || status=$?; } 3>&1
    cpu=$(awk -v cpu="$cpu" '{ print cpu + $1 + $2 }' <<<"$spent")
    return "$status"
}

passed=0
failed=0
line='%-17s %10s %8s %7s %11s %11s %11s %7s  %s\n'
printf "$line" target inputs 'len ≤ B' exec/s 'per cpu s' 'slowest ms' 'most KiB' crashes result | tee target/table.txt
for target in "${targets[@]}"; do
    found=target/corpus/$target log=target/log/$target
    mkdir -p "$found" "target/large/$target"
    before=$(find artifacts -name "$target-*" | wc -l)
    options=(-timeout=5 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="artifacts/$target-")
    [ ! -e "dictionaries/$target.dict" ] || options+=(-dict="dictionaries/$target.dict")
    cpu=0 result=ok started=$SECONDS
    : >"$log"
    if [ -n "${RUNS:-}" ]; then
        large=(-runs="$((RUNS / LARGE_SHARE))" ${TIME:+-max_total_time="$((1 + TIME / 10))"})
        small=(-runs="$RUNS" ${TIME:+-max_total_time="$TIME"})
    else
        large=(-max_total_time="$((1 + ${TIME:-60} / 10))")
        small=(-max_total_time="${TIME:-60}")
    fi
    fuzz "${large[@]}" -max_len="$LARGE_BYTES" "target/large/$target" "corpus/$target" &&
        fuzz "${small[@]}" -max_len="${bytes_max[$target]:-1024}" "$found" "corpus/$target" ||
        result="FAILED, see fuzz/$log"
    if [ "$result" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)) && tail -n 30 "$log"; fi
    crashes=$(($(find artifacts -name "$target-*" | wc -l) - before))
    inputs=$(awk '/^stat::number_of_executed_units/ { inputs += $2 } END { print inputs + 0 }' "$log")
    read -r slowest most < <(awk '/^slowest/ { if (slowest < $2) slowest = $2; if (most < $5) most = $5 }
        END { printf "%.2f %.0f\n", slowest / 1000, most / 1024 }' "$log")
    printf "$line" "$target" "$inputs" "${bytes_max[$target]:-1024}" "$((inputs / (SECONDS - started + 1)))" \
        "$(awk -v inputs="$inputs" -v cpu="$cpu" 'BEGIN { printf "%.0f", inputs / (cpu + 0.01) }')" \
        "$slowest" "$most" "$crashes" "$result" | tee -a target/table.txt
done
echo "$passed passed, $failed failed" | tee -a target/table.txt
[ "$failed" -eq 0 ]
