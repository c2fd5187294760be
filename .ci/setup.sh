# Sourced by quickstart.sh, test.sh and .ci/run: plain messages, one clear line on failure, and what is missing
# from Debian's packages installed. Needs bash alone.
# shellcheck shell=bash disable=SC2034
set -Eeuo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$(mktemp -d "${TMPDIR:-/tmp}/basin-logs.XXXXXX")
doing='starting'

# What Basin is built with; what its tests and its first training run need besides.
build_packages=(cmake ninja-build g++ libeigen3-dev libcli11-dev libtomlplusplus-dev zlib1g-dev
  libjpeg-dev libpng-dev doctest-dev)
data_packages=(dataset-fashion-mnist)

say() { printf '%s\n' "$*"; }

fail() { end 1 "$@"; }
wrong_usage() { end 2 "$@"; }

# end STATUS MESSAGE: the one line that a failure shows.
end() {
  local status=$1
  shift
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  trap - ERR
  exit "$status"
}

# Logs stay after a failure only; the folders in `scratch` never do.
scratch=()
on_exit() {
  local status=$?
  rm -rf "${scratch[@]}"
  if ((status == 0 || status > 128)); then rm -rf "$logs"; else rmdir "$logs" 2>/dev/null || true; fi
  ((status <= 128)) || printf '%s: stopped while %s\n' "${0##*/}" "$doing" >&2
}
trap 'fail "failed while $doing (line $LINENO)"' ERR
trap on_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# run WHAT LOG COMMAND...: runs the command with its output in a log; on failure shows the log's end and stops.
run() {
  local what=$1 log=$logs/$2.log start=$SECONDS
  shift 2
  doing=$what
  say "-- $what"
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    fail "failed while $what (whole log: $log)"
  fi
  say "   done in $((SECONDS - start)) s"
}

# as_root COMMAND...: directly, or by sudo.
as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# need PACKAGE...: installs those that are missing; calls no apt when nothing is.
need() {
  local package missing=()
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "-- not a Debian system: taking for granted what these packages of Debian 12 hold: $*"
    return
  fi
  for package in "$@"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then
    say "-- packages: all there"
    return
  fi
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    fail "packages are missing; as root, run: apt-get install --no-install-recommends ${missing[*]}"
  fi
  run "reading the package lists" apt-update as_root apt-get update -q
  run "installing ${missing[*]}" apt-install \
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# configure PRESET: writes the build folder's files; cheap when nothing changed.
configure() {
  run "configuring build/$1" "configure-$1" cmake --preset "$1" -S "$root"
}
