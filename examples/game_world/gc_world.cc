// SPDX-License-Identifier: MIT

#include "gc_world.h"

#include <gc/gc.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <type_traits>
#include <unordered_map>

namespace game {
namespace {

// The structs of world.h, with collected arrays in place of Vectors.

template <class T>
struct Array {
  T* data = nullptr;
  std::size_t size = 0;
};

struct GcLine;
struct GcSector;
struct GcSide;

struct GcTexture {
  const char* name = nullptr;
  std::int32_t uses = 0;
};

struct GcThing {
  const ThingKind* kind = nullptr;
  GcSector* sector = nullptr;
  GcSector* home = nullptr;
  GcThing* target = nullptr;
  GcThing* source = nullptr;
  Point at;
  Point start;
  Point velocity;
  std::int32_t z = 0;
  std::int32_t wait = 0;
  std::int32_t health = 0;
  ThingState state = ThingState::kAsleep;
};

struct GcLine {
  Point* from = nullptr;
  Point* to = nullptr;
  GcSide* front = nullptr;
  GcSide* back = nullptr;
  std::uint16_t flags = 0;
  std::uint16_t special = 0;
  std::uint16_t tag = 0;
};

struct GcSide {
  GcSector* sector = nullptr;
  GcLine* line = nullptr;
  GcTexture* upper = nullptr;
  GcTexture* lower = nullptr;
  GcTexture* middle = nullptr;
  std::int16_t x_offset = 0;
  std::int16_t y_offset = 0;
};

struct GcSector {
  Array<GcLine*> lines;
  Array<GcThing*> things;
  GcLine* toward = nullptr;
  GcTexture* floor_flat = nullptr;
  GcTexture* ceiling_flat = nullptr;
  std::int32_t steps = -1;
  std::int32_t floor = 0;
  std::int32_t ceiling = 0;
  std::int16_t light = 0;
  std::uint16_t special = 0;
  std::uint16_t tag = 0;
  Point low;
  Point high;
};

struct GcLevel {
  const char* name = nullptr;
  Array<Point*> vertexes;
  Array<GcSector*> sectors;
  Array<GcSide*> sides;
  Array<GcLine*> lines;
  Array<GcThing*> things;
  Array<GcThing*> monsters;
  Array<GcThing*> missiles;
  GcThing* player = nullptr;
  GcThing* prey = nullptr;
};

}  // namespace

struct GcWorld {
  Array<GcLevel*> levels;
  Array<GcTexture*> textures;
};

namespace {

/// Pointers into a Vector of the arena, and the objects that stand for them.
template <class From, class To>
struct Twins {
  const acre::Vector<From>* from = nullptr;
  Array<To*> to;

  To* Of(const From* part) const {
    return part == nullptr ? nullptr : to.data[part - from->data()];
  }
};

class Copier {
 public:
  GcCopy Run(const World& world) {
    auto* copy = New<GcWorld>();
    copy_.world = copy;
    copy->textures = NewArray<GcTexture*>(world.textures.size());
    std::size_t i = 0;
    for (const auto& [name, texture] : world.textures) {
      auto* twin = New<GcTexture>(GcTexture{CopyText(name), texture->uses});
      textures_[texture] = copy->textures.data[i++] = twin;
    }
    copy->levels = NewArray<GcLevel*>(world.levels.size());
    i = 0;
    for (const auto& [name, level] : world.levels) {
      copy->levels.data[i++] = CopyLevel(*level);
    }
    return copy_;
  }

 private:
  void* Count(void* block, std::size_t bytes) {
    if (block == nullptr) std::abort();  // out of memory
    ++copy_.objects;
    copy_.bytes += bytes;
    return block;
  }

  template <class T>
  T* New(const T& value = {}) {
    constexpr bool kIsData = std::is_same_v<T, Point>;
    void* block = kIsData ? GC_MALLOC_ATOMIC(sizeof(T)) : GC_MALLOC(sizeof(T));
    return ::new (Count(block, sizeof(T))) T(value);
  }

  template <class T>
  Array<T> NewArray(std::size_t size) {
    if (size == 0) return {};
    void* block = Count(GC_MALLOC(size * sizeof(T)), size * sizeof(T));
    return {static_cast<T*>(block), size};
  }

  const char* CopyText(std::string_view text) {
    const std::size_t bytes = text.size() + 1;
    auto* copy = static_cast<char*>(Count(GC_MALLOC_ATOMIC(bytes), bytes));
    std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = '\0';
    return copy;
  }

  /// New objects, still empty, for the elements of a Vector.
  template <class From, class To>
  void Prepare(const acre::Vector<From>& from, Twins<From, To>& twins) {
    twins.from = &from;
    twins.to = NewArray<To*>(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) twins.to.data[i] = New<To>();
  }

  template <class From, class To>
  Array<To*> CopyList(const acre::Vector<From*>& from,
                      const Twins<From, To>& twins) {
    Array<To*> list = NewArray<To*>(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) {
      list.data[i] = twins.Of(from[i]);
    }
    return list;
  }

  GcTexture* Twin(const Texture* texture) const {
    return texture == nullptr ? nullptr : textures_.at(texture);
  }

  GcLevel* CopyLevel(const Level& level) {
    auto* copy = New<GcLevel>();
    Prepare(level.vertexes, vertexes_);
    Prepare(level.sectors, sectors_);
    Prepare(level.sides, sides_);
    Prepare(level.lines, lines_);
    Prepare(level.things, things_);
    FillParts(level);
    copy->name = CopyText(level.name);
    copy->vertexes = vertexes_.to;
    copy->sectors = sectors_.to;
    copy->sides = sides_.to;
    copy->lines = lines_.to;
    copy->things = things_.to;
    copy->monsters = CopyList(level.monsters, things_);
    copy->missiles = CopyMissiles(level);
    copy->player = things_.Of(level.player);
    copy->prey = things_.Of(level.prey);
    return copy;
  }

  void FillParts(const Level& level) {
    for (const Point& at : level.vertexes) *vertexes_.Of(&at) = at;
    for (const Sector& sector : level.sectors) Fill(sector);
    for (const Side& side : level.sides) Fill(side);
    for (const Line& line : level.lines) Fill(line);
    for (const Thing& thing : level.things) {
      *things_.Of(&thing) = CopyThing(thing);
    }
  }

  Array<GcThing*> CopyMissiles(const Level& level) {
    Array<GcThing*> list = NewArray<GcThing*>(level.missiles.size());
    for (std::size_t i = 0; i < level.missiles.size(); ++i) {
      list.data[i] = New<GcThing>(CopyThing(*level.missiles[i]));
    }
    return list;
  }

  void Fill(const Sector& from) {
    *sectors_.Of(&from) = {CopyList(from.lines, lines_),
                           CopyList(from.things, things_),
                           lines_.Of(from.toward),
                           Twin(from.floor_flat),
                           Twin(from.ceiling_flat),
                           from.steps,
                           from.floor,
                           from.ceiling,
                           from.light,
                           from.special,
                           from.tag,
                           from.low,
                           from.high};
  }

  void Fill(const Side& from) {
    *sides_.Of(&from) = {sectors_.Of(from.sector),
                         lines_.Of(from.line),
                         Twin(from.upper),
                         Twin(from.lower),
                         Twin(from.middle),
                         from.x_offset,
                         from.y_offset};
  }

  void Fill(const Line& from) {
    *lines_.Of(&from) = {vertexes_.Of(from.from),
                         vertexes_.Of(from.to),
                         sides_.Of(from.front),
                         sides_.Of(from.back),
                         from.flags,
                         from.special,
                         from.tag};
  }

  GcThing CopyThing(const Thing& from) const {
    return {from.kind,
            sectors_.Of(from.sector),
            sectors_.Of(from.home),
            things_.Of(from.target),
            things_.Of(from.source),
            from.at,
            from.start,
            from.velocity,
            from.z,
            from.wait,
            from.health,
            from.state};
  }

  GcCopy copy_;
  // The values are in copy_.world->textures too: libgc does not look in here.
  std::unordered_map<const Texture*, GcTexture*> textures_;
  Twins<Point, Point> vertexes_;
  Twins<Sector, GcSector> sectors_;
  Twins<Side, GcSide> sides_;
  Twins<Line, GcLine> lines_;
  Twins<Thing, GcThing> things_;
};

}  // namespace

GcCopy CopyToCollectedHeap(const World& world) { return Copier().Run(world); }

}  // namespace game
