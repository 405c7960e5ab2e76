// SPDX-License-Identifier: MIT

#include "kinds.h"

namespace game {
namespace {

constexpr ThingKind kScenery = {};
constexpr ThingKind kMissile = {-1, "missile", Role::kMissile, 1, 20, 0, 6};

// Health, speed and radius are those of the original game.
constexpr ThingKind kKinds[] = {
    {1, "player", Role::kPlayer, 100, 16, 40, 16},
    {3004, "zombie", Role::kMonster, 20, 8, 9, 20},
    {9, "shotgun zombie", Role::kMonster, 30, 8, 15, 20},
    {65, "chaingunner", Role::kMonster, 70, 8, 12, 20},
    {84, "guard", Role::kMonster, 50, 8, 9, 20},
    {3001, "imp", Role::kMonster, 60, 8, 13, 20},
    {3002, "demon", Role::kMonster, 150, 10, 10, 30},
    {58, "spectre", Role::kMonster, 150, 10, 10, 30},
    {3006, "lost soul", Role::kMonster, 100, 8, 10, 16},
    {3005, "cacodemon", Role::kMonster, 400, 8, 22, 31},
    {69, "hell knight", Role::kMonster, 500, 8, 36, 24},
    {3003, "baron", Role::kMonster, 1000, 8, 36, 24},
    {68, "arachnotron", Role::kMonster, 500, 12, 22, 64},
    {71, "pain elemental", Role::kMonster, 400, 8, 10, 31},
    {66, "revenant", Role::kMonster, 300, 10, 45, 20},
    {67, "mancubus", Role::kMonster, 600, 8, 36, 48},
    {64, "archvile", Role::kMonster, 700, 15, 50, 20},
    {7, "spiderdemon", Role::kMonster, 3000, 12, 15, 128},
    {16, "cyberdemon", Role::kMonster, 4000, 16, 90, 40},
};

}  // namespace

const ThingKind& KindOf(std::int32_t type) {
  for (const ThingKind& kind : kKinds) {
    if (kind.type == type) return kind;
  }
  return kScenery;
}

const ThingKind* FindKind(std::string_view name) {
  if (name == kScenery.name) return &kScenery;
  if (name == kMissile.name) return &kMissile;
  for (const ThingKind& kind : kKinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

const ThingKind& MissileKind() { return kMissile; }

}  // namespace game
