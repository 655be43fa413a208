#!/usr/bin/env bash
# Runs every reader of files on mutated inputs, guided by coverage (libFuzzer), and prints a summary.
#
#   run.sh [PARSER ...] [--runs N] [--seconds N] [--seed N]
#
#   PARSER       names of readers, as `fuzz list` prints them (default: all)
#   --runs N     inputs for each reader (default: 10000000)
#   --seconds N  the longest time for each reader (default: 0, no limit)
#   --seed N     the seed of the mutations (default: 1)
#
# Inputs have at most 4096 bytes. If an input causes a trap, or takes more than ten seconds or 1 GB, it stops
# that reader's run; it is kept in exp/fuzz/PARSER, and `fuzz replay PARSER FILE` reads it again. Inputs that
# reached new code are kept in exp/fuzz/PARSER/corpus, from which the next run starts. Standard output is a
# Markdown table of executions, seconds, edges and inputs kept. Exit status: 0, or 1 if an input stopped a
# run.
set -euo pipefail
root=$(CDPATH= cd "$(dirname "$0")/../.." && pwd)
source "$root/recipes/requirements.sh"

help_if_asked "$@"
runs=10000000 seconds=0 seed=1 parsers=()
while [ $# -gt 0 ]; do
  case $1 in
    --runs) runs=${2:?--runs needs a number}; shift 2 ;;
    --seconds) seconds=${2:?--seconds needs a number}; shift 2 ;;
    --seed) seed=${2:?--seed needs a number}; shift 2 ;;
    -*) usage ;;
    *) parsers+=("$1"); shift ;;
  esac
done
require_build_tools

# Only the frontend gets the fuzzer's flag: the driver would link libFuzzer's own main.
library=$(swiftc -print-target-info |
  sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')/clang/lib/linux/libclang_rt.fuzzer_no_main-$(uname -m).a
[ -f "$library" ] || fail 69 "this toolchain has no libFuzzer: $library"
cd "$root"
swift build -c release --product Fuzz --scratch-path .build/fuzz \
  -Xswiftc -Xfrontend -Xswiftc -sanitize=fuzzer -Xswiftc -DFUZZER \
  -Xlinker "$library" -Xlinker -lstdc++ -Xlinker -lm >&2
fuzz=$root/.build/fuzz/release/Fuzz
[ ${#parsers[@]} -gt 0 ] || mapfile -t parsers < <("$fuzz" list)

scratch=$(mktemp -d "$([ -d /dev/shm ] && echo /dev/shm || echo /tmp)/limbeck-fuzz-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export SWIFT_BACKTRACE=enable=no OPENBLAS_NUM_THREADS=1
# The memory that one input may allocate at once, in addition to the process's own.
ulimit -v 3145728

status=0
printf '| reader | executions | seconds | edges | inputs kept | end |\n| --- | --: | --: | --: | --: | --- |\n'
for parser in "${parsers[@]}"; do
  folder=$root/exp/fuzz/$parser
  rm -rf "$folder/seeds" "$scratch/$parser"
  mkdir -p "$folder/corpus" "$folder/seeds" "$scratch/$parser"
  "$fuzz" seeds "$parser" "$root" "$folder/seeds" "$folder/words.dict"
  start=$(date +%s.%N) end=done
  (cd "$scratch/$parser" && "$fuzz" guided "$parser" "$scratch/$parser" -- "$folder/corpus" "$folder/seeds" \
    -dict="$folder/words.dict" -artifact_prefix="$folder/" -runs="$runs" -max_total_time="$seconds" \
    -seed="$seed" -max_len=4096 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=1) \
    </dev/null >"$folder/log" 2>&1 || { end=stopped status=1; }
  printf '| %s | %s | %.0f | %s | %s | %s |\n' "$parser" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/log")" \
    "$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN { print b - a }')" \
    "$(grep -o 'cov: [0-9]*' "$folder/log" | tail -1 | cut -d' ' -f2)" \
    "$(find "$folder/corpus" -type f | wc -l)" "$end"
done
exit $status
