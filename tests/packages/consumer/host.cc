// SPDX-License-Identifier: MIT
//
// Loads the plugin that its argument names. Prints, or with "release":
//   3 words, two is 2, checked

#include <dlfcn.h>

#include <cstdio>

#include "words.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::puts("Usage: host PLUGIN");
    return 2;
  }
  void* const plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) {
    std::puts(dlerror());
    return 1;
  }
  const auto make =
      reinterpret_cast<Words* (*)(acre::Arena*)>(dlsym(plugin, "MakeWords"));
  if (make == nullptr) {
    std::puts(dlerror());
    return 1;
  }
  acre::Arena arena;
  const Words* const words = make(&arena);
  std::printf("%zu words, two is %d, %s\n", words->size(), words->at("two"),
              acre::kChecked ? "checked" : "release");
}
