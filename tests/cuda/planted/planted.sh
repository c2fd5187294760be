#!/usr/bin/env bash
# Makes known mistakes in the CUDA backend, one at a time, and runs the test that is to find each: a check that finds
# nothing when there is something proves nothing. The sources stay as they are: a mistake is a changed copy, compiled
# with the build folder's own commands and linked in front of the library that holds the right one.
# Prints a line for each, as many at a time as there are cores; the exit code is 1 if a mistake stays unnoticed, or if
# its line is no longer there.
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

export root build work

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

# affected FILE TARGET FOLDER SOURCES: objects of the target that are compiled from the file, or from what includes it;
# if there are sources, of these alone. With ccache's CCACHE_BASEDIR the file's path is one from the build folder.
affected() {
  local through=${4:-.*}
  awk -v file="$root/$1" -v near="$(realpath --relative-to="$build" "$root/$1")" '
    /^[^ ]/ {object = $1; sub(/:$/, "", object)}
    $1 == file || $1 == near {print object}' "$work/deps" |
    sort -u >"$3/users"
  objects_of "$2" | sort -u >"$3/parts"
  comm -12 "$3/users" "$3/parts" | grep -E "/(${through// /|})\.o$"
}

# compile OBJECT FILE TO FOLDER: the object's own command, on the folder's changed copy where it is the source, with
# the changed copies first among the headers.
compile() {
  local command
  command=$(ninja -t commands "$1" | tail -n 1)
  command=${command/ -o $1/ -o $3}
  command=$(sed -E 's/ -MD -MT [^ ]+ -MF [^ ]+//' <<<"$command")
  command=${command/ -I/ -I$4\/changed -I}
  command=${command/ -c $root\/$2/ -c $4\/changed\/$2}
  bash -c "${command/ -O3 / -O1 } -w"  # tests of one mistake are short, compiling is not
}

# change FOLDER FILE LINE BECOMES AFTER: writes the changed copy; fails where the line isn't there.
change() {
  mkdir -p "$1/changed/${2%/*}"
  LINE=$3 BECOMES=$4 AFTER=$5 awk '
    { text = $0; sub(/^ +/, "", text) }
    !done && ENVIRON["AFTER"] != "" && !seen { if (index($0, ENVIRON["AFTER"])) seen = 1; print; next }
    !done && text == ENVIRON["LINE"] { print ENVIRON["BECOMES"]; done = 1; next }
    { print }
    END { exit !done }' "$root/$2" >"$1/changed/$2"
}

# outcome WORD TEXT: the line of a mistake.
outcome() { printf '%-7s %s\n' "$1" "$2" | tee -a "$work/outcomes"; }

# plant WHAT TARGET CASES FILE LINE BECOMES AFTER SOURCES
plant() {
  local what=$1 target=$2 cases=$3 file=$4 folder objects=() object status=0 start=$SECONDS
  folder=$(mktemp -d "$work/one.XXXXXX")
  if ! change "$folder" "$file" "$5" "$6" "$7"; then
    outcome GONE "$what: $file no longer has the line: $5"
    return
  fi
  while read -r object; do
    objects+=("$folder/${#objects[@]}.o")
    if ! compile "$object" "$file" "${objects[-1]}" "$folder" 2>"$folder/log"; then
      outcome BROKEN "$what: does not compile: $(grep -m 1 'error' "$folder/log")"
      return
    fi
  done < <(affected "$file" "$target" "$folder" "$8")
  if ((${#objects[@]} == 0)); then
    outcome BROKEN "$what: nothing in $target is compiled from $file"
    return
  fi
  local link orders=()
  [[ $target != *_tsan ]] || orders=(BASIN_TEST_ONE_ORDER=1)
  [[ $target != *_[at]san ]] || orders+=(BASIN_TEST_EXACT_MEMORY=1)
  link=$(ninja -t commands "$target" | tail -n 1)
  link=${link#: && }
  link=${link%% && *}
  link=$(sed -E "s# -o [^ ]*$target # ${objects[*]} -o $folder/program #" <<<"$link ")
  if ! bash -c "$link" 2>"$folder/log"; then
    outcome BROKEN "$what: does not link: $(tail -n 1 "$folder/log")"
    return
  fi
  # One CPU each, for core's own threads would look like races.
  { timeout 300 env "${orders[@]}" taskset -c "${SLOT:-0}" "$folder/program" -tc="$cases" >"$folder/log" 2>&1 || status=$?
  } 2>/dev/null
  if grep -qE 'test cases: *0 ' "$folder/log"; then
    outcome BROKEN "$what: $target has no case $cases"
  elif ((status == 0 || status == 124)); then
    outcome MISSED "$what ($target, $cases, $((SECONDS - start)) s)"
  else
    outcome found "$what ($target, $((SECONDS - start)) s)"
  fi
  rm -rf "$folder"
}
export -f objects_of affected compile change outcome plant

what='' target='' cases='' file='' line='' becomes='' after='' through=''
# The mistake that was read, for plant: its eight words, each ended by a zero byte.
flush() {
  if [[ -n $what && ($word == '' || $what == *"$word"* || $target == "$word") ]]; then
    printf '%s\0' "$what" "$target" "$cases" "$file" "$line" "$becomes" "$after" \
      "$through"
  fi
  what='' after='' becomes='' through=''
}
while IFS= read -r text; do
  case $text in
    '#'* | '') flush ;;
    'mistake '*) flush && read -r _ what <<<"$text" ;;
    'check '*) read -r _ target cases <<<"$text" ;;
    'in '*) read -r _ file <<<"$text" ;;
    'through '*) read -r _ through <<<"$text" ;;
    'after '*) read -r _ after <<<"$text" ;;
    'line '*) read -r _ line <<<"$text" ;;
    'becomes'*) read -r _ becomes <<<"$text" ;;
    *) printf 'planted.sh: mistakes.txt has a line that it does not know: %s\n' "$text" >&2 && exit 2 ;;
  esac
done <"$here/mistakes.txt" >"$work/mistakes"
flush >>"$work/mistakes"

: >"$work/outcomes"
xargs -0 -r -n 8 -P "$(nproc)" --process-slot-var=SLOT bash -c 'plant "$@"' plant <"$work/mistakes"
made=$(($(tr -cd '\0' <"$work/mistakes" | wc -c) / 8)) found=$(grep -c '^found ' "$work/outcomes" || true)
printf '%d mistakes, %d found\n' "$made" "$found"
((found == made && made > 0))
