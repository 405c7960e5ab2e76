# SPDX-License-Identifier: MIT
#
# What the scripts share: installing Debian packages where they are missing
# (nothing is done, and no rights are needed, where all are there), setting up
# build directories once, the files of the repository. Sets `root`, and the
# locale: scripts read messages and numbers.

export LC_ALL=C
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Tracked files, as `git ls-files`; whoever owns the working copy.
tracked_files() {
  git -C "$root" -c safe.directory="$root" ls-files "$@"
}

# mode_of BUILD: sets `checked` to 1 and `suffix` to -checked where its libraries
# are of the checked mode, to 0 and nothing where they are not.
mode_of() {
  checked=0
  suffix=
  if grep -q ACRE_CHECKED=1 "$1/compile_commands.json"; then
    checked=1
    suffix=-checked
  fi
}

# link_one_test BUILD: what one file of the unit tests, compiled by itself, is
# linked with, their main and the containers, into the array `one_test`. After
# mode_of BUILD, which has the unit tests.
link_one_test() {
  one_test=(
    "$1"/tests/libunit_tests_alone.a.p/{unit_main,support_crash_report}.cc.o
    "$1/containers/libacre-containers$suffix.a" "$1/lib/libacre$suffix.a"
    $(pkg-config --cflags --libs bdw-gc) -pthread -ldl)
}

# The version that version.h has; the header stands on standard input.
version_in() {
  awk '/define ACRE_VERSION_(MAJOR|MINOR|PATCH)/ {
    printf "%s%s", dot, $3; dot = "." }'
}

# precompile FILE COMPILER FLAGS...: parses a header once. Prints the flags by
# which the same compiler takes it from there; none where it does not compile.
precompile() {
  case $2 in
    *clang*)
      ! "${@:2}" -fpch-instantiate-templates -x c++-header "$1" \
        -o "$1.pch" 2>/dev/null || echo "-include-pch $1.pch" ;;
    *)
      ! "${@:2}" -x c++-header "$1" -o "$1.gch" 2>/dev/null ||
        echo "-include $1" ;;
  esac
}

is_installed() {
  dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null |
    grep -qx installed
}

# Prints those of its arguments that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    is_installed "$package" || echo "$package"
  done
}

# Runs a command as root; fails where that is not possible.
as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }
  then
    sudo "$@"
  else
    return 1
  fi
}

# --no-remove: never trades away something that the user has installed.
apt_install() {
  mkdir -p "$root/build"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install \
    --yes -qq --no-install-recommends --no-remove "$@" \
    >>"$root/build/install.log" 2>&1
}

# run_quietly LOG COMMAND...: where it fails, shows the end of what it says, and
# ends the script.
run_quietly() {
  mkdir -p "$(dirname "$1")"
  "${@:2}" >"$1" 2>&1 </dev/null && return
  tail -n 40 "$1" >&2
  echo "The build failed; its whole output: $1" >&2
  exit 1
}

# Builds a release libacre-c, and nothing else, in a build directory.
build_c_library() {
  prepare_build "$1" --buildtype=release -Dtests=disabled -Dexamples=disabled &&
    ninja -C "$1" c-api
}

# Prints the path of a build directory's libacre-c, whatever its mode; ends the
# script where there is none.
c_library_of() {
  local library
  for library in "$1"/audit/c/libacre-c{,-checked}.so; do
    [[ ! -e $library ]] || { realpath --no-symlinks "$library"; return; }
  done
  echo "There is no $1/audit/c/libacre-c.so" >&2
  exit 1
}

# check NAME COMMAND...: one line, and what a command that fails says last.
# Counts in `passed` and `failed`; a script may have a check of its own.
check() {
  local output
  if output=$("${@:2}" 2>&1); then
    passed=$((passed + 1))
    echo "ok $1"
  else
    failed=$((failed + 1))
    printf 'FAILED %s\n%s\n' "$1" "$(tail -n 40 <<<"$output")"
  fi
}

# Succeeds where a command prints nothing; shows what it prints otherwise.
prints_nothing() {
  local output
  output=$("$@" || true)
  [[ -z $output ]] || { echo "$output"; return 1; }
}

# Ends the script with status 1 and clear words where a package is missing and
# cannot be had.
install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  echo "Installing: ${missing[*]}"
  if command -v apt-get >/dev/null && as_root apt-get update -qq; then
    apt_install "${missing[@]}" || tail -n 5 "$root/build/install.log"
    mapfile -t missing < <(missing_packages "${missing[@]}")
    [[ ${#missing[@]} -gt 0 ]] || return 0
  fi
  {
    echo "These packages are missing and could not be installed:"
    echo "  ${missing[*]}"
    echo "As root: apt-get install ${missing[*]}"
    echo "Where their equivalents are in place: $0 --no-install"
  } >&2
  exit 1
}

# Tries each package once in the life of this working copy.
install_optional_packages() {
  local package tried="$root/build/optional-packages.txt"
  mkdir -p "$root/build"
  touch "$tried"
  for package in $(missing_packages "$@"); do
    if ! grep -qx "$package" "$tried"; then
      echo "$package" >>"$tried"
      apt_install "$package" && continue
    fi
    echo "Optional package not installed: $package"
  done
}

# prepare_build DIR ARGS...: meson setup, only where DIR is new or was set up
# otherwise. The compiler is taken from CXX.
prepare_build() {
  local dir=$1 setup="CXX=${CXX:-} static ${*:2}"
  if [[ -f $dir/build.ninja && -f $dir/setup.txt &&
        $(<"$dir/setup.txt") == "$setup" ]]; then
    return 0
  fi
  rm -rf "$dir"
  # Scripts link archives; older build directories had shared libraries.
  meson setup "$dir" "$root" -Ddefault_library=static "${@:2}" && echo "$setup" >"$dir/setup.txt"
}

# Runs tests FIRST to LAST, the last two arguments, of a doctest program; shows
# what they say where one fails.
test_part() {
  local first=${*: -2:1} last=${*: -1} status=0
  local log=$2-$first.log
  timeout "$1" "${@:3:$#-4}" --first="$first" --last="$last" >"$log" 2>&1 ||
    status=$?
  [[ $status -eq 0 ]] || grep -v '^\[doctest\] test cases' "$log"
  return "$status"
}

# run_in_parts PARTS SECONDS LOG COMMAND...: all tests of a doctest program, in
# parts side by side, each of which may take so long. The last line is "N
# passed, N failed"; each part's own summary counts the tests of the others as
# passed.
run_in_parts() {
  local seconds=$2 log=$3 all part first failed status=0
  rm -f "$log"-*.log
  all=$("${@:4}" --count | grep -oE '[0-9]+$') || return
  part=$((all / $1 + 1))
  export -f test_part
  for ((first = 1; first <= all; first += part)); do
    printf '%s\0' "$first" $((first + part - 1))
  done | xargs -0 -n 2 -P "$(nproc)" bash -c 'test_part "$@"' bash \
    "$seconds" "$log" "${@:4}" || status=$?
  failed=$(sed -nE 's/^\[doctest\] test cases: .*\| *([0-9]+) failed.*/\1/p' \
    "$log"-*.log | awk '{ n += $1 } END { print n + 0 }')
  echo "$((all - failed)) passed, $failed failed"
  return "$status"
}
