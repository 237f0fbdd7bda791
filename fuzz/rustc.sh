#!/bin/sh
# scripts/fuzz.sh's RUSTC_WRAPPER: rustc, whose coverage is counted in what
# decodes only. All else would take twice as long to build, and libFuzzer longer
# for every input, because it looks at every counter.
case " $* " in
*" --crate-name cardroom "* | *" --crate-name cardroom_fuzz "* | *"--crate-name "*" targets/"*) exec "$@" ;;
*" --crate-name base64 "* | *" --crate-name fastwebsockets "* | *" --crate-name form_urlencoded "*) exec "$@" ;;
*" --crate-name http "* | *" --crate-name rmp "* | *" --crate-name rmpv "*) exec "$@" ;;
*" --crate-name serde_json "* | *" --crate-name simd_json "*) exec "$@" ;;
esac
for argument do
    shift
    case $argument in
    -Cpasses=sancov-module | -Cllvm-args=-sanitizer-coverage-*) ;;
    *) set -- "$@" "$argument" ;;
    esac
done
exec "$@"
