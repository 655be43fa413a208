#!/usr/bin/env bash
# Compares log-mel features with kaldi-native-fbank's: run.sh [LIST]
#
# LIST has the path of an audio file at the end of each line; without it only made signals are
# compared. Python packages go to exp/parity/venv. The exit status is 1 when a difference on anything
# but a sine sweep is above the bounds (mean 1e-4, largest 5e-3, in log energy).
set -euo pipefail
list=${1:+$(realpath "$1")}
cd "$(dirname "$0")/../.."
source recipes/requirements.sh
require_build_tools
require_python exp/parity/venv recipes/parity/requirements.txt
swift build -c release --product limbeck
exp/parity/venv/bin/python recipes/parity/parity.py .build/release/limbeck exp/parity $list
