#!/usr/bin/env bash
# Compares log-mel features with kaldi-native-fbank's: run.sh [LIST]
#
# LIST has the path of an audio file at the end of each line; without it made signals alone are
# compared. Python packages go to exp/parity/environment. parity.py says what is printed. The exit
# status is 1 when a difference is above the bounds (a mean of 1e-4, a largest of 5e-3, in log energy)
# and limbeck is on average further from double precision than kaldi-native-fbank is.
set -euo pipefail
list=${1:+$(realpath "$1")}
CDPATH= cd "$(dirname "$0")/../.."
source recipes/requirements.sh
require_build_tools
mkdir -p exp/parity
require_python exp/parity/environment recipes/parity/requirements.txt
swift build -c release --product limbeck >&2
exec exp/parity/environment/bin/python recipes/parity/parity.py \
  .build/release/limbeck exp/parity ${list:+"$list"}
