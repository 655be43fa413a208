# Sourced by the recipes: installs the packages that they need, and handles exit statuses.

# Prints an error and exits with a status of sysexits.h.
fail() { # STATUS MESSAGE
  echo "$(basename "$0"): $2" >&2
  exit "$1"
}

# Prints the comment at the head of the script.
print_usage() { awk 'NR == 1 { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$0"; }

# Prints how the script is called, and exits with the status of wrong usage.
usage() {
  print_usage >&2
  exit 64
}

# Prints how the script is called, and exits, if one of the arguments asks for it.
help_if_asked() { # ARGUMENT...
  local argument
  for argument; do
    case $argument in -h | --help) print_usage; exit 0 ;; esac
  done
}

# With CDPATH set, `cd` could go to another folder and print it.
unset CDPATH

# Exits unless the argument is a stage of `limbeck run`.
require_stage() { # STAGE
  case $1 in
    features | targets | train | search | distill | specialists | score) ;;
    *) fail 64 "--until: expected features, targets, train, search, distill, specialists or score, found $1" ;;
  esac
}

# The exit status of a recipe: 65 once some utterances were skipped, else 0.
status=0

# Runs a command whose status 65 means only that some utterances were skipped (a ledger names them), so
# that the recipe continues. On any other failure the recipe exits with the same status.
some() { # COMMAND...
  local own=0
  "$@" || own=$?
  case $own in 0) ;; 65) status=65 ;; *) exit $own ;; esac
}

# Runs $limbeck, which may skip utterances and name them in LEDGER, so that the recipe continues. If
# the data is unusable, the recipe exits, also with 65.
some_limbeck() { # LEDGER ARGUMENT...
  local ledger=$1
  shift
  "$limbeck" "$@" --allow-skipped 100%
  # A copy may be too short even if its utterance is not.
  if awk '/"reason"/ && !/"part":"train-copy-/ { found = 1 } END { exit !found }' "$ledger"; then
    status=65
  fi
}

# Runs a command as root, with sudo if necessary.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else fail 69 "this needs root or sudo: $*"
  fi
}

# Installs packages with apt-get, and prints which.
install_packages() { # PACKAGE...
  command -v apt-get >/dev/null || fail 69 "there is no apt-get here to install: $*"
  echo "$(basename "$0"): installing $*" >&2
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get update -qq
  as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Installs git, pkg-config and the libraries that the build needs, if they are missing; Swift must be installed.
require_build_tools() {
  command -v swift >/dev/null ||
    fail 69 "there is no swift here: install a toolchain of version 6.2 or later from swift.org"
  local missing=()
  command -v git >/dev/null || missing+=(git)
  command -v pkg-config >/dev/null || missing+=(pkg-config)
  local module package
  while read -r module package; do
    pkg-config --exists "$module" 2>/dev/null || missing+=("$package")
  done <<'LIBRARIES'
sndfile libsndfile1-dev
libmpg123 libmpg123-dev
fftw3 libfftw3-dev
openblas libopenblas-dev
libxxhash libxxhash-dev
zlib zlib1g-dev
libisal libisal-dev
soxr libsoxr-dev
LIBRARIES
  # Debian's oneDNN has no pkg-config file.
  [ -e /usr/include/dnnl.h ] || missing+=(libdnnl-dev)
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

# Builds the program in release mode. A build that another folder's files were copied from cannot be continued, since it
# contains that folder's path.
build_limbeck() { # ROOT [ARGUMENT OF swift build]...
  local root=$1 manifest=$1/.build/release.yaml
  shift
  if [ -e "$manifest" ] && ! grep -qF "$root/Sources/" "$manifest"; then
    fail 65 "$root/.build was made in another folder; remove it with: rm -rf '$root/.build'"
  fi
  swift build -c release --package-path "$root" ${@+"$@"} >&2
}

# Installs missing programs from the Debian packages that contain them.
require_programs() { # PROGRAM=PACKAGE...
  local missing=() pair
  for pair in "$@"; do command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}"); done
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

# Makes a Python environment with the packages of a list, unless it already exists.
require_python() { # ENVIRONMENT REQUIREMENTS
  cmp -s "$2" "$1/requirements.txt" && return
  rm -rf "$1"
  python3 -c 'import ensurepip' 2>/dev/null || install_packages python3 python3-venv
  python3 -m venv "$1"
  "$1/bin/pip" install --quiet -r "$2"
  cp "$2" "$1/requirements.txt"
}
