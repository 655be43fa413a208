#!/usr/bin/env bash
# Stops limbeck at random times, resumes, and compares the results with those of uninterrupted work, byte for byte.
#
#   run.sh [--stops N] [--seed N]
#
#   --stops N  the number of stops (default: 100)
#   --seed N   the seed of the random times (default: 1)
#
# The work is the quick recipe: run, its steps train and distill, and features and targets by themselves, in turn. It
# is stopped by SIGKILL, SIGTERM, SIGINT and a full disk (a small file system in memory, which needs root or user
# namespaces), with one thread and with two. Standard output is a Markdown table. Exit status: 0 if all results are
# identical and every stop had the right exit status, else 1.
set -euo pipefail
root=$(CDPATH= cd "$(dirname "$0")/../.." && pwd)
source "$root/recipes/requirements.sh"

help_if_asked "$@"
stops=100 seed=1
while [ $# -gt 0 ]; do
  case $1 in
    --stops) stops=${2:?--stops needs a number}; shift 2 ;;
    --seed) seed=${2:?--seed needs a number}; shift 2 ;;
    *) usage ;;
  esac
done
require_programs python3=python3 unshare=util-linux
whole=$root/exp/resume/whole disk=$root/exp/resume/disk
"$root/recipes/asterisk/run.sh" --quick --exp "$whole" >/dev/null
mkdir -p "$disk"
user=()
[ "$(id -u)" -eq 0 ] || user=(--map-root-user)
# The file system disappears with the process that mounted it.
exec unshare --mount ${user[@]+"${user[@]}"} sh -c 'mount -t tmpfs -o size=256m limbeck "$1" && shift && exec "$@"' sh \
  "$disk" python3 "$root/recipes/resume/stop.py" "$root/.build/release/limbeck" "$root/recipes/asterisk/quick.yaml" \
  "$whole" "$disk" "$stops" "$seed"
