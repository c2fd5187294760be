#!/bin/bash
# Completion in the shells that are here, bash at least, and the manual page in groff: completion.sh BASIN.
set -eu
basin=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "$1" >&2; exit 1; }
for shell in bash zsh fish; do "$basin" completion $shell > script.$shell; done
mkdir "my runs" && touch net.safetensors

# shellcheck disable=SC1091 # made above
source ./script.bash
offered() { # WORD...: what bash would offer in place of the last word
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
  _basin 2> /dev/null # compopt wants to be called by bash itself
  echo "${COMPREPLY[*]}"
}
expect() { # OFFER WORD...
  local wanted=$1 got
  shift
  got=$(offered "$@")
  [ "$got" = "$wanted" ] || fail "bash offers '$got' behind '$*', not '$wanted'"
}
expect hessian basin he
expect --optimizer basin train --opti
expect 'adam adamw' basin train --optimizer ada
expect "my runs" basin train --resume m
expect net.safetensors basin info ne
expect '' basin train --lr ''
expect '' basin nonsense --opti

checked=bash
if command -v fish > /dev/null; then
  got=$(HOME=$work fish -c 'source script.fish; complete -C "basin train --optimizer ada"' | cut -f 1 | tr '\n' ' ')
  [ "$got" = 'adam adamw ' ] || fail "fish offers '$got'"
  checked="$checked, fish"
fi
if command -v zsh > /dev/null; then
  got=$(zsh -fc "autoload -Uz compinit && compinit -u -d $work/zcompdump && source ./script.zsh && print \$_comps[basin]")
  [ "$got" = _basin ] || fail "zsh completes basin by '$got'"
  checked="$checked, zsh"
fi

"$basin" --help-man > basin.1
for section in NAME SYNOPSIS COMMANDS 'EXIT STATUS'; do
  grep -q "^.SH \"\?$section" basin.1 || fail "the manual has no section $section"
done
if command -v groff > /dev/null; then
  groff -man -ww -Tutf8 basin.1 > manual 2> warnings
  [ ! -s warnings ] || { cat warnings; exit 1; }
  checked="$checked, groff"
fi
echo "$checked"
