#!/usr/bin/env bash
# Builds the project and runs its tests: test.sh [ARGUMENTS OF swift test]
#
# Tests run in release mode: a debug build of the numeric loops is some 50 times slower. The last line counts the tests
# that passed and failed, and the seconds; before it come the details of each failure. exp/test.log has all that the
# tests print.
set -euo pipefail
root=$(CDPATH= cd "$(dirname "$0")/.." && pwd)
source "$root/recipes/requirements.sh"
help_if_asked "$@"
cd "$root"
require_build_tools
# The tests of the report need gnuplot to draw it and a browser to open it.
require_programs gnuplot=gnuplot-nox chromium=chromium
build_limbeck "$root" --build-tests

mkdir -p exp
log=exp/test.log status=0
swift test -c release --skip-build "$@" >"$log" 2>&1 || status=$?
# Each failure with the lines that explain it, and the last line.
awk -v status=$status -v log_path="$log" '
  / Test run with .* after / {
    ended = 1
    if (match($0, /after [0-9.]+ seconds/)) seconds = substr($0, RSTART + 6, RLENGTH - 14)
    next
  }
  / Test .* passed after / { passed++; next }
  / Test .* failed after / { failed++ }
  / Test .* (recorded an issue|failed after)/ { explained = 1; print; next }
  explained && /^(\342\206\263|[ \t])/ { print; next }
  { explained = 0 }
  /^error:|Fatal error:/ { print }
  { last[NR % 20] = $0 }
  END {
    # A run that crashed has no summary: its end says more.
    if (!ended) for (i = NR - 19; i <= NR; i++) if (i > 0 && last[i % 20] != "") print last[i % 20]
    printf "%d passed, %d failed, %.0f seconds%s%s\n", passed, failed, seconds, ended ? "" : ", not run to the end",
      status ? "; all output is in " log_path : ""
  }' "$log"
exit $status
