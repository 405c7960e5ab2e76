#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# simdjson 3.0.1 (Debian 12): what a number is depends on the parser.
#
# A good engineer would guess: of a valid text, the DOM parser and On-Demand of
# one library give the same double, and that is the one nearest to the text.
# Seen, each without an error:
#   -0             DOM: 0, the sign is lost; On-Demand: -0
#   0.1 with 55 digits, as printf's %.55f writes it
#                  DOM: 0.1; On-Demand: 1.79e-36
#   18446744073709551616, one more than 64 bits hold
#                  DOM: NUMBER_ERROR; On-Demand's get_double: 1.8446744073709552e19
#
# It matters to who reads doubles that others wrote. acre takes the places of
# tokens from simdjson and reads numbers itself (containers/json/json_number.cc).
#
# Needs: apt-get (Debian 12), g++. Installs nothing: the packages are unpacked
# into a folder of its own. Fails where the behaviour is another one.
set -euo pipefail
version=3.0.1-1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq "libsimdjson-dev=$version" "libsimdjson14=$version" \
  &>/dev/null
for package in ./*.deb; do dpkg -x "$package" root; done
lib=$(dirname "$(find "$PWD/root" -name 'libsimdjson.so.14' | head -n 1)")

cat >numbers.cc <<'CC'
#include <simdjson.h>

#include <cstdio>
#include <string>

void Show(const std::string& number) {
  const simdjson::padded_string text("[" + number + "]");
  simdjson::dom::parser dom;
  simdjson::dom::element root;
  double value = 0;
  auto status = dom.parse(text).get(root);
  if (!status) status = root.at(0).get_double().get(value);
  if (status) {
    std::printf("error %d", static_cast<int>(status));
  } else {
    std::printf("%.3g", value);
  }
  simdjson::ondemand::parser on_demand;
  simdjson::ondemand::document document;
  simdjson::ondemand::array array;
  status = on_demand.iterate(text).get(document);
  if (!status) status = document.get_array().get(array);
  for (auto each : array) status = each.get_double().get(value);
  if (status) {
    std::printf(" error %d\n", static_cast<int>(status));
  } else {
    std::printf(" %.3g\n", value);
  }
}

int main() {
  char tenth[80];
  std::snprintf(tenth, sizeof tenth, "%.55f", 0.1);
  Show("-0");
  Show(tenth);
  Show("18446744073709551616");
}
CC
g++ -std=c++17 -O1 -isystem root/usr/include numbers.cc -o numbers \
  "$lib/libsimdjson.so.14"
LD_LIBRARY_PATH=$lib ./numbers | tee seen
diff - seen <<'SEEN'
0 -0
0.1 1.79e-36
error 9 1.84e+19
SEEN
