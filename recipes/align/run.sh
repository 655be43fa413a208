#!/usr/bin/env bash
# Aligns a Kaldi data directory: run.sh DATA OUT [--lexicon FILE] [--root DIR] [--jobs N]
#
# Makes a Python environment with the aligner under exp/align/ on its first call; align.py says
# what is written.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../requirements.sh"
environment=$here/../../exp/align/environment
require_python "$environment" "$here/requirements.txt"
exec "$environment/bin/python" "$here/align.py" "$@"
