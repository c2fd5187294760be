#!/usr/bin/env bash
# Makes known mistakes in the CUDA backend, one at a time, and runs the test that is to find each: a check that finds
# nothing when there is something proves nothing. The sources stay as they are: a mistake is a changed copy, compiled
# with the build folder's own commands and linked in front of the library that holds the right one.
# Prints a line for each; the exit code is 1 if a mistake stays unnoticed, or if its line is no longer there.
# Usage: planted.sh BUILD_FOLDER [WORD]  makes those of mistakes.txt; with a word those whose description has it, or
#        whose program it is
set -Eeuo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
build=$(realpath "$1")
word=${2:-}
work=$(mktemp -d "${TMPDIR:-/tmp}/basin-planted.XXXXXX")
trap 'rm -rf "$work"' EXIT
export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0
export TSAN_OPTIONS=halt_on_error=1
export UBSAN_OPTIONS=halt_on_error=1

cd "$build"
ninja -t deps >"$work/deps"

# objects_of TARGET: those of the libraries (and no test's) that the target is linked from, with their folders.
objects_of() {
  local program
  program=$(ninja -t query "$1" | sed -n 's/^    //p' | head -n 1)
  ninja -t query "$program" | sed -nE 's/^    (\|+ )?(.*\.a)$/\2/p' | sort -u | while read -r library; do
    ninja -t query "$library" | sed -n 's/^    \([^|].*\.o\)$/\1/p'
  done
}

# affected FILE TARGET: objects of the target that are compiled from the file, or from what includes it. With ccache's
# CCACHE_BASEDIR its path is one from the build folder.
affected() {
  awk -v file="$root/$1" -v near="$(realpath --relative-to="$build" "$root/$1")" '
    /^[^ ]/ {object = $1; sub(/:$/, "", object)}
    $1 == file || $1 == near {print object}' "$work/deps" |
    sort -u >"$work/users"
  objects_of "$2" | sort -u >"$work/parts"
  comm -12 "$work/users" "$work/parts"
}

# compile OBJECT FILE TO: the object's own command, on the changed copy where it is the source, with the changed
# copies first among the headers.
compile() {
  local command
  command=$(ninja -t commands "$1" | tail -n 1)
  command=${command/ -o $1/ -o $3}
  command=$(sed -E 's/ -MD -MT [^ ]+ -MF [^ ]+//' <<<"$command")
  command=${command/ -I/ -I$work\/changed -I}
  command=${command/ -c $root\/$2/ -c $work\/changed\/$2}
  bash -c "${command/ -O3 / -O1 } -w"  # tests of one mistake are short, compiling is not
}

# change FILE LINE BECOMES [AFTER]: writes the changed copy; fails where the line isn't there.
change() {
  rm -rf "$work/changed"
  mkdir -p "$work/changed/${1%/*}"
  LINE=$2 BECOMES=$3 AFTER=${4:-} awk '
    { text = $0; sub(/^ +/, "", text) }
    !done && ENVIRON["AFTER"] != "" && !seen { if (index($0, ENVIRON["AFTER"])) seen = 1; print; next }
    !done && text == ENVIRON["LINE"] { print ENVIRON["BECOMES"]; done = 1; next }
    { print }
    END { exit !done }' "$root/$1" >"$work/changed/$1"
}

made=0 found=0 bad=0
# plant WHAT TARGET CASES FILE LINE BECOMES AFTER
plant() {
  local what=$1 target=$2 cases=$3 file=$4 objects=() object status=0 start=$SECONDS
  [[ -z $word || $what == *"$word"* || $target == "$word" ]] || return 0
  made=$((made + 1))
  if ! change "$file" "$5" "$6" "$7"; then
    printf 'GONE    %s: %s no longer has the line: %s\n' "$what" "$file" "$5"
    bad=$((bad + 1))
    return 0
  fi
  rm -rf "$work/objects"
  mkdir "$work/objects"
  while read -r object; do
    objects+=("$work/objects/${#objects[@]}.o")
    if ! compile "$object" "$file" "${objects[-1]}" 2>"$work/log"; then
      printf 'BROKEN  %s: does not compile\n' "$what"
      tail -n 5 "$work/log"
      bad=$((bad + 1))
      return 0
    fi
  done < <(affected "$file" "$target")
  if ((${#objects[@]} == 0)); then
    printf 'BROKEN  %s: nothing in %s is compiled from %s\n' "$what" "$target" "$file"
    bad=$((bad + 1))
    return 0
  fi
  local link orders=()
  [[ $target != *_tsan ]] || orders=(BASIN_TEST_ONE_ORDER=1)
  [[ $target != *_[at]san ]] || orders+=(BASIN_TEST_EXACT_MEMORY=1)
  link=$(ninja -t commands "$target" | tail -n 1)
  link=${link#: && }
  link=${link%% && *}
  link=$(sed -E "s# -o [^ ]*$target # ${objects[*]} -o $work/program #" <<<"$link ")
  if ! bash -c "$link" 2>"$work/log"; then
    printf 'BROKEN  %s: does not link\n' "$what"
    tail -n 5 "$work/log"
    bad=$((bad + 1))
    return 0
  fi
  { timeout 300 env "${orders[@]}" taskset -c 0 "$work/program" -tc="$cases" >"$work/log" 2>&1 || status=$?; } 2>/dev/null
  if grep -qE 'test cases: *0 ' "$work/log"; then
    printf 'BROKEN  %s: %s has no case %s\n' "$what" "$target" "$cases"
    bad=$((bad + 1))
  elif ((status == 0 || status == 124)); then
    printf 'MISSED  %s (%s, %s, %d s)\n' "$what" "$target" "$cases" $((SECONDS - start))
    bad=$((bad + 1))
  else
    printf 'found   %s (%s, %d s)\n' "$what" "$target" $((SECONDS - start))
    found=$((found + 1))
  fi
}

what='' target='' cases='' file='' line='' becomes='' after=''
flush() {
  [[ -z $what ]] || plant "$what" "$target" "$cases" "$file" "$line" "$becomes" "$after"
  what='' after='' becomes=''
}
while IFS= read -r text; do
  case $text in
    '#'* | '') flush ;;
    'mistake '*) flush && read -r _ what <<<"$text" ;;
    'check '*) read -r _ target cases <<<"$text" ;;
    'in '*) read -r _ file <<<"$text" ;;
    'after '*) read -r _ after <<<"$text" ;;
    'line '*) read -r _ line <<<"$text" ;;
    'becomes'*) read -r _ becomes <<<"$text" ;;
    *) printf 'planted.sh: mistakes.txt has a line that it does not know: %s\n' "$text" >&2 && exit 2 ;;
  esac
done <"$here/mistakes.txt" 3<&0
flush

printf '%d mistakes, %d found\n' "$made" "$found"
((bad == 0 && made > 0))
