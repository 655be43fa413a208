#!/usr/bin/env bash
# Builds the project and runs its tests: test.sh [ARGUMENTS OF swift test]
#
# Tests run in release mode: a debug build of the numeric loops is some 50 times slower.
set -euo pipefail
CDPATH= cd "$(dirname "$0")/.."
source recipes/requirements.sh
require_build_tools
# The tests of the report need gnuplot to draw it and a browser to open it.
require_programs gnuplot=gnuplot-nox chromium=chromium
swift build -c release --build-tests
swift test -c release --skip-build "$@"
