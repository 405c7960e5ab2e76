// SPDX-License-Identifier: MIT

#include "saved.h"

#include <acre/from_json.h>
#include <acre/json_by_name.h>
#include <acre/to_json.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string_view>

#include "kinds.h"

namespace game {
namespace {

std::string_view NameOf(const ThingKind& kind) { return kind.name; }

}  // namespace

ACRE_JSON_BY_NAME(ThingKind, NameOf, FindKind)

namespace {

// In the order of their names: the text does not depend on when they came.
constexpr acre::JsonStyle kStyle{.sort_keys = true};

}  // namespace

std::string SaveWorld(const World& world, const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen(path.c_str(), "wb"), &std::fclose);
  if (file == nullptr) return path + ": " + std::strerror(errno);
  const acre::JsonError error = acre::WriteJson(world, *file, kStyle);
  if (error) return path + ": " + error.text();
  return std::fflush(file.get()) == 0 ? "" : path + ": " + std::strerror(errno);
}

World* LoadWorld(acre::Arena& arena, const std::string& path,
                 std::string& error) {
  const acre::JsonOr<World*> world = acre::ReadJson<World>(arena, path.c_str());
  if (world) return *world;
  error = world.error().text();
  return nullptr;
}

bool IsSavedIn(const World& world, const std::string& path) {
  std::ostringstream saved;
  saved << std::ifstream(path, std::ios::binary).rdbuf();
  const acre::JsonOr<std::string> text = acre::ToJson(world, kStyle);
  return text && *text == saved.view();
}

}  // namespace game
