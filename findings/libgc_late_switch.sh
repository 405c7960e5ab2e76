#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# libgc 8.2.2 (Debian 12): interior pointers switched off after GC_INIT.
#
# A good engineer would guess: an address of an object's first byte keeps it
# alive, whatever is set; and what was registered with GC_register_displacement
# stays registered.
# Seen: the switch forgets all displacements, 0 among them, so that large
# objects (here 40000 bytes) whose first byte is pointed to are collected. Only
# a registration after the switch counts. Small objects are not affected.
#
# It matters where two users of the collector share a process and the second
# one wants other settings. acre asks for the setting whenever it needs the
# collector, and registers anew (lib/collector/libgc.cc).
#
# Needs: apt-get (Debian 12), g++. Installs nothing: the packages are unpacked
# into a folder of its own. Fails where the behaviour is another one.
set -euo pipefail
version=1:8.2.2-3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq "libgc-dev=$version" "libgc1=$version" &>/dev/null
for package in ./*.deb; do dpkg -x "$package" root; done
lib=$(dirname "$(find "$PWD/root" -name 'libgc.so.1*' | head -n 1)")

cat >late_switch.cc <<'END'
#include <gc/gc.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kObjects = 40;
int freed = 0;
void** table;

void Count(void*, void*) { ++freed; }

__attribute__((noinline)) void Fill(std::size_t bytes) {
  for (int i = 0; i < kObjects; ++i) {
    table[i] = GC_malloc_atomic(bytes);
    GC_register_finalizer_no_order(table[i], Count, nullptr, nullptr, nullptr);
  }
}

__attribute__((noinline)) void ClearStack() {
  char frame[60000];
  std::memset(frame, 0, sizeof frame);
  asm volatile("" : : "r"(frame) : "memory");
}

}  // namespace

// Arguments: bytes an object, register before the switch, after it.
int main(int, char** words) {
  GC_INIT();
  table = static_cast<void**>(
      GC_malloc_uncollectable(kObjects * sizeof(void*)));
  if (std::atoi(words[2]) != 0) GC_register_displacement(0);
  Fill(static_cast<std::size_t>(std::atol(words[1])));
  GC_set_all_interior_pointers(0);
  if (std::atoi(words[3]) != 0) GC_register_displacement(0);
  for (int i = 0; i < 3; ++i) {
    ClearStack();
    GC_gcollect();
  }
  GC_invoke_finalizers();
  std::printf("%d of %d collected\n", freed, kObjects);
}
END
g++ -O1 -I root/usr/include late_switch.cc -o late_switch \
  "$lib"/libgc.so.1 -Wl,-rpath,"$lib"

failed=0
# expect WORDS BYTES BEFORE AFTER COUNT
expect() {
  local seen
  seen=$(./late_switch "$2" "$3" "$4")
  printf '%-48s %s\n' "$1" "$seen"
  [[ $seen == "$5 of 40 collected" ]] || failed=1
}
expect 'small objects' 64 0 0 0
expect 'large objects' 40000 0 0 40
expect 'large, displacement 0 registered before' 40000 1 0 40
expect 'large, displacement 0 registered after' 40000 0 1 0
[[ $failed -eq 0 ]] || { echo 'libgc behaves otherwise now'; exit 1; }
