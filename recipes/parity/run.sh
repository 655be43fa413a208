#!/usr/bin/env bash
# Compares log-mel features with kaldi-native-fbank's: run.sh [LIST]
#
# Each line of LIST ends in the path of an audio file; without LIST, only synthetic signals are
# compared. Python packages are installed in exp/parity/environment. parity.py describes the output.
# The exit status is 1 if a difference exceeds the bounds (mean 1e-4, largest 5e-3, in log energy) and
# limbeck is on average further from double precision than kaldi-native-fbank.
set -euo pipefail
source "$(CDPATH= cd "$(dirname "$0")" && pwd)/../requirements.sh"
help_if_asked "$@"
list=${1:+$(realpath "$1")}
cd "$(dirname "$0")/../.."
require_build_tools
mkdir -p exp/parity
require_python exp/parity/environment recipes/parity/requirements.txt
build_limbeck "$PWD" --product limbeck
exec exp/parity/environment/bin/python recipes/parity/parity.py \
  .build/release/limbeck exp/parity ${list:+"$list"}
