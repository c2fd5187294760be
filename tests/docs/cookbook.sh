#!/usr/bin/env bash
# Runs the commands of docs/cookbook.md, block after block, in an empty folder with three pictures in photos/, and compares
# what they write to stdout with the page: words and their order, with every number taken for any other; a line "..." in the
# page stands for any lines.
# Usage: cookbook.sh BASIN
set -euo pipefail

basin=$(realpath "$1") root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/blocks" "$work/here/photos"
ln -s "$basin" "$work/bin/basin"
cp "$root"/tests/data/images/{photo.jpg,photo.png,rotated.jpg} "$work/here/photos"
PATH=$work/bin:$PATH

# Blocks of commands as 01.sh, 02.sh, ...; the block of text behind one, if there is one, as 01.text.
awk -v to="$work/blocks" '
  /^```sh$/ { n++; file = sprintf("%s/%02d.sh", to, n); after = 1; next }
  /^```text$/ { if (after) file = sprintf("%s/%02d.text", to, n); after = 0; next }
  /^```/ { close(file); file = ""; next }
  file != "" { print > file; next }
  /^#/ { after = 0 }' "$root/docs/cookbook.md"

# words: without numbers, digests, times and the widths of columns.
words() {
  sed -E 's/[0-9a-f]{64}/#/g; s/[-+]?[0-9]+([.,:T-][0-9]+)*(e-?[0-9]+)?/#/g; s/#Z/#/g; s/(#h)?(#m)?#s/#s/g; s/─+/─/g; s/ +/ /g; s/ $//; s/^ //'
}

bad=0 compared=0 blocks=0
cd "$work/here"
for block in "$work"/blocks/*.sh; do
  blocks=$((blocks + 1))
  if ! bash -euo pipefail "$block" > "$work/out" 2> "$work/err"; then
    bad=$((bad + 1))
    echo "these commands of docs/cookbook.md fail:" && cat "$block" "$work/err"
    continue
  fi
  [[ -e ${block%.sh}.text ]] || continue
  compared=$((compared + 1))
  # Blank lines count for nothing.
  said=$'\n'$(words < "$work/out" | grep -v '^$')$'\n'
  pattern=$'\n'
  while IFS= read -r line; do
    if [[ $line == ... ]]; then
      pattern+='*'
    elif [[ -n $line ]]; then
      pattern+=$(printf '%s' "$line" | sed 's/[][*?\\]/\\&/g')$'\n'
    fi
  done < <(words < "${block%.sh}.text")
  # shellcheck disable=SC2053 # a pattern
  if [[ $said != $pattern ]]; then
    bad=$((bad + 1))
    echo "these commands of docs/cookbook.md print something else:" && cat "$block" && echo "-- the page:" &&
      cat "${block%.sh}.text" && echo "-- here:" && cat "$work/out"
  fi
done
echo "cookbook.sh: $blocks blocks of commands, $compared compared with the page, $bad differ"
((bad == 0 && blocks > 8 && compared > 6))
