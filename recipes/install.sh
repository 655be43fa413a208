#!/usr/bin/env bash
# Builds limbeck and installs it with its man page and shell completions.
#
#   install.sh PREFIX      such as /usr/local or ~/.local
#
# Installs PREFIX/bin/limbeck, share/man/man1/limbeck.1, and completions where bash, zsh and fish look for them. The
# libraries are not copied: limbeck uses those of Debian and of the Swift toolchain.
set -euo pipefail
root=$(CDPATH= cd "$(dirname "$0")/.." && pwd)
source "$root/recipes/requirements.sh"

help_if_asked "$@"
[ $# -eq 1 ] && [ "${1#-}" = "$1" ] || usage
prefix=$1
require_build_tools
cd "$root"
build_limbeck "$root" --product limbeck
swift package generate-manual >&2
limbeck=.build/release/limbeck
manual=.build/plugins/GenerateManual/outputs/LimbeckCLI/limbeck.1
[ -s "$manual" ] || fail 70 "expected a man page at $manual, found none"

install -Dm755 "$limbeck" "$prefix/bin/limbeck"
install -Dm644 "$manual" "$prefix/share/man/man1/limbeck.1"
complete() { # SHELL FILE
  mkdir -p "$(dirname "$prefix/$2")"
  "$limbeck" --generate-completion-script "$1" >"$prefix/$2"
}
complete bash share/bash-completion/completions/limbeck
complete zsh share/zsh/site-functions/_limbeck
complete fish share/fish/vendor_completions.d/limbeck.fish
echo "limbeck is in $prefix/bin" >&2
