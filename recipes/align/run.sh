#!/usr/bin/env bash
# Aligns a Kaldi data directory: run.sh DATA OUT [--lexicon FILE] [--root DIR] [--jobs N]
#
# Makes a Python environment with the aligner under exp/align/ on its first call; align.py says
# what is written.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../requirements.sh"
environment=$here/../../exp/align/environment
if ! cmp -s "$here/requirements.txt" "$environment/requirements.txt"; then
  rm -rf "$environment"
  python3 -c 'import ensurepip' 2>/dev/null || install_packages python3 python3-venv
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$environment/requirements.txt"
fi
exec "$environment/bin/python" "$here/align.py" "$@"
