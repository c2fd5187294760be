#!/usr/bin/env bash
# Builds Basin and runs its tests. On Debian 12 it first installs the packages that are missing (as root or by sudo).
# Usage: ./test.sh [PRESET [CTEST OPTION...]], PRESET is one of release (default), debug, clang-release, asan, tsan.
# shellcheck source=.ci/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/.ci/setup.sh"

preset=${1:-release}
shift $(($# > 0 ? 1 : 0))
case $preset in
  release | debug | asan | tsan) compiler=() ;;
  clang-release) compiler=(clang) ;;
  -h | --help)
    sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  *) wrong_usage "unknown preset '$preset'; there are release, debug, clang-release, asan, tsan" ;;
esac

say "Basin: build ($preset) and tests. Folder: $root/build/$preset"
need "${build_packages[@]}" "${data_packages[@]}" "${compiler[@]}"
cd "$root"
configure "$preset"
run "compiling (a few minutes the first time)" "build-$preset" cmake --build --preset "$preset"
doing="running the tests"
say "-- $doing"
if ! ctest --preset "$preset" "$@" </dev/null; then
  fail "tests failed; once more, with all they say: ctest --preset $preset --rerun-failed -VV"
fi
