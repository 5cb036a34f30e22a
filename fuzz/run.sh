#!/bin/sh
# Coverage-guided fuzzing with the stable toolchain: fuzz/run.sh TARGET [SECONDS]
# What `cargo fuzz` does, less the address sanitizer, which alone would need a nightly toolchain.
set -eu
cd "$(dirname "$0")"
target=$1
seconds=${2:-60}
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
 -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"
host=$(rustc -vV | sed -n 's/^host: //p')
# Naming the target keeps the flags away from build scripts.
cargo build --release --target "$host" --bin "$target"
mkdir -p "corpus/$target" "artifacts/$target"
exec "target/$host/release/$target" "corpus/$target" -artifact_prefix="artifacts/$target/" \
    -max_total_time="$seconds" -max_len=4096 -print_final_stats=1
