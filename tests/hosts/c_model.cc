// SPDX-License-Identifier: MIT
//
// Random programs through the C API, beside a model of std containers: under
// resets, rewinds, ends, frees and byte limits. Whatever a call answers, what
// it could not do has changed nothing, and what has ended is known as that.
//
//   c_model [SEEDS [STEPS]]    prints "N passed, N failed", a case for each
//   seed

#include <acre/acre.h>
#include <gc/gc.h>

#include <algorithm>
#include <compare>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Wrong {
  std::string what;
};

#define EXPECT(condition)      \
  do {                         \
    if (!(condition)) {        \
      throw Wrong{#condition}; \
    }                          \
  } while (false)

/// Doubles by their bits; objects by their number in the model.
struct Value {
  std::uint32_t kind = ACRE_NULL;
  std::int64_t number = 0;
  std::string text;
  int object = -1;

  friend auto operator<=>(const Value&, const Value&) = default;
};

double DoubleOf(const Value& value) {
  double number = 0;
  std::memcpy(&number, &value.number, sizeof number);
  return number;
}

struct Object {
  std::uint32_t kind = 0;
  int arena = 0;
  std::uint64_t birth = 0;
  const acre_ref* ref = nullptr;  // where the collector sees it
  bool is_live = true;
  std::map<Value, Value> entries;
  std::vector<Value> items;
  std::string text;
};

struct Mark {
  acre_mark mark = {};
  std::uint64_t time = 0;
};

struct Home {
  acre_arena* arena = nullptr;
  std::vector<Mark> marks;
  bool has_limit = false;
};

/// What acre_vector_sort promises: numbers by value, others by kind and bytes.
int OrderOf(const Value& value) {
  return value.kind == ACRE_DOUBLE ? int{ACRE_INT}
                                   : static_cast<int>(value.kind);
}
long double NumberOf(const Value& value) {
  return value.kind == ACRE_DOUBLE ? static_cast<long double>(DoubleOf(value))
                                   : static_cast<long double>(value.number);
}
bool IsBefore(const Value& a, const Value& b) {
  if (OrderOf(a) != OrderOf(b)) return OrderOf(a) < OrderOf(b);
  if (OrderOf(a) == ACRE_NULL) return false;
  if (a.kind >= ACRE_TEXT) return a.text < b.text;
  return NumberOf(a) < NumberOf(b);
}

class Program {
 public:
  explicit Program(std::uint64_t seed) : random_(seed) {
    objects_.reserve(kMostObjects);
    for (int i = 0; i < kArenas; ++i) Open(homes_[i]);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    for (Home& home : homes_) acre_arena_end(home.arena);
  }

  void Run(int steps) {
    for (int i = 0; i < steps && objects_.size() < kMostObjects; ++i) {
      Step();
      if (i % 200 == 0) CheckAll();
    }
    CheckAll();
  }

 private:
  static constexpr int kArenas = 3;
  static constexpr std::size_t kMostObjects = 3000;

  std::uint64_t Below(std::uint64_t n) { return random_() % n; }

  void Open(Home& home) {
    acre_arena_options options = {sizeof options, 0, 0, "model", 0};
    if (Below(2) == 0) options.flags = ACRE_COLLECTED;
    home = {acre_arena_new(&options), {}, false};
    EXPECT(home.arena != nullptr);
  }

  // ------------------------------------------------------------------- values

  std::string Text() {
    std::string text(Below(5) == 0 ? Below(300) : Below(30), ' ');
    for (char& c : text)
      c = static_cast<char>(Below(8) == 0 ? Below(256) : 'a');
    return text;
  }

  /// A key, or a value without objects.
  Value Plain() {
    constexpr double kDoubles[] = {0.0, -0.0, 1.0, 2.5, 1e300, 7.0};
    Value value;
    value.kind = static_cast<std::uint32_t>(Below(ACRE_BYTES + 1));
    switch (value.kind) {
      case ACRE_NULL:
        break;
      case ACRE_BOOL:
        value.number = static_cast<std::int64_t>(Below(2));
        break;
      case ACRE_DOUBLE:
        std::memcpy(&value.number, &kDoubles[Below(std::size(kDoubles))], 8);
        break;
      case ACRE_INT:
      case ACRE_CHAR:
        value.number = static_cast<std::int64_t>(Below(100));
        break;
      default:
        value.text = Text();
    }
    return value;
  }

  Value Any(int arena) {
    const int object = Below(5) == 0 ? Pick(0, arena) : -1;
    if (object < 0) return Plain();
    return {objects_[object].kind, 0, {}, object};
  }

  acre_value ValueOf(const Value& value) const {
    switch (value.kind) {
      case ACRE_NULL:
        return acre_null();
      case ACRE_BOOL:
        return acre_bool(value.number != 0);
      case ACRE_INT:
        return acre_int(value.number);
      case ACRE_DOUBLE:
        return acre_double(DoubleOf(value));
      case ACRE_CHAR:
        return acre_char(static_cast<std::uint32_t>(value.number));
      case ACRE_TEXT:
        return acre_text(value.text.data(), value.text.size());
      case ACRE_SYMBOL:
        return acre_symbol(value.text.data(), value.text.size());
      case ACRE_BYTES:
        return acre_bytes(value.text.data(), value.text.size());
      default:
        return acre_shared(static_cast<acre_kind>(value.kind),
                           *objects_[value.object].ref);
    }
  }

  bool IsSame(const acre_value& found, const Value& value) const {
    if (found.kind != value.kind) return false;
    switch (value.kind) {
      case ACRE_NULL:
        return true;
      case ACRE_BOOL:
        return found.as.boolean == (value.number != 0);
      case ACRE_INT:
      case ACRE_DOUBLE:
        return found.as.integer == value.number;
      case ACRE_CHAR:
        return found.as.character == value.number;
      case ACRE_TEXT:
      case ACRE_SYMBOL:
      case ACRE_BYTES:
        return std::string_view(found.as.text.data, found.as.text.size) ==
               value.text;
      default: {
        const Object& object = objects_[value.object];
        if (!object.is_live) return !acre_ref_is_live(&found.as.ref);
        return found.as.ref.pointer == object.ref->pointer &&
               found.as.ref.stamp == object.ref->stamp;
      }
    }
  }

  // ------------------------------------------------------------------ objects

  /// A live one of a kind (0: any) and arena (-1: any); -1 where it found none.
  int Pick(std::uint32_t kind, int arena) {
    for (int i = 0; i < 30 && !objects_.empty(); ++i) {
      const auto at = static_cast<int>(Below(objects_.size()));
      const Object& object = objects_[at];
      if (object.is_live && (kind == 0 || object.kind == kind) &&
          (arena < 0 || object.arena == arena)) {
        return at;
      }
    }
    return -1;
  }

  /// True where the call has done what was asked; else why it need not.
  bool Done(int status, const Object& object) const {
    if (status == ACRE_OK) return true;
    const Home& home = homes_[object.arena];
    const bool is_old =
        !home.marks.empty() && object.birth < home.marks.back().time;
    EXPECT(status == (is_old ? ACRE_MISUSE : ACRE_BYTE_LIMIT));
    EXPECT(is_old || home.has_limit);
    return false;
  }

  void CheckEnded(const Object& object) const {
    std::uint32_t kind = 0;
    EXPECT(!acre_ref_is_live(object.ref));
    EXPECT(acre_ref_kind(object.ref, &kind) == ACRE_STALE);
    EXPECT(acre_ref_free(object.ref) == ACRE_STALE);
  }

  void Check(const Object& object) const {
    if (!object.is_live) return CheckEnded(object);
    std::size_t size = 0;
    acre_value found;
    const char* text = nullptr;
    switch (object.kind) {
      case ACRE_MAP: {
        EXPECT(acre_map_size(object.ref, &size) == ACRE_OK);
        EXPECT(size == object.entries.size());
        for (const auto& [key, value] : object.entries) {
          const acre_value of = ValueOf(key);
          EXPECT(acre_map_get(object.ref, &of, &found) == ACRE_OK);
          EXPECT(IsSame(found, value));
        }
        acre_cursor cursor = {{0}};
        while (acre_map_next(object.ref, &cursor, nullptr, &found) == ACRE_OK) {
          --size;
        }
        EXPECT(size == 0);
        break;
      }
      case ACRE_VECTOR:
        EXPECT(acre_vector_size(object.ref, &size) == ACRE_OK);
        EXPECT(size == object.items.size());
        for (std::size_t i = 0; i < size; ++i) {
          EXPECT(acre_vector_get(object.ref, i, &found) == ACRE_OK);
          EXPECT(IsSame(found, object.items[i]));
        }
        break;
      default:
        EXPECT(acre_builder_text(object.ref, &text, &size) == ACRE_OK);
        EXPECT(std::string_view(text, size) == object.text);
    }
  }

  void CheckAll() const {
    for (const Object& object : objects_) Check(object);
  }

  // -------------------------------------------------------------------- steps

  void Step() {
    const auto dice = Below(100);
    if (dice < 10) return Make();
    if (dice < 40) return ChangeMap();
    if (dice < 65) return ChangeVector();
    if (dice < 80) return ChangeBuilder();
    if (dice < 84) return Free();
    if (dice < 90) return Limit();
    if (dice < 94) return Checkpoint();
    if (dice < 97) return Rewind();
    if (dice < 99) return Below(3) == 0 ? Empty() : void();
    if (Below(4) == 0) GC_gcollect();
  }

  void Make() {
    const auto arena = static_cast<int>(Below(kArenas));
    Object made;
    made.kind = ACRE_MAP + static_cast<std::uint32_t>(Below(3));
    made.arena = arena;
    made.birth = ++time_;
    acre_arena* const in = homes_[arena].arena;
    acre_ref* const ref = &refs_[objects_.size()];
    made.ref = ref;
    const int status = made.kind == ACRE_MAP      ? acre_map_new(in, ref)
                       : made.kind == ACRE_VECTOR ? acre_vector_new(in, ref)
                                                  : acre_builder_new(in, ref);
    if (Done(status, made)) objects_.push_back(made);
  }

  void ChangeMap() {
    const int picked = Pick(ACRE_MAP, -1);
    if (picked < 0) return;
    Object& object = objects_[picked];
    Value key = Plain();
    if (Below(2) == 0 && !object.entries.empty()) {
      key = std::next(object.entries.begin(),
                      static_cast<std::ptrdiff_t>(Below(object.entries.size())))
                ->first;
    }
    const acre_value of = ValueOf(key);
    if (Below(20) == 0) {
      if (Done(acre_map_clear(object.ref), object)) object.entries.clear();
    } else if (Below(3) == 0) {
      const int status = acre_map_erase(object.ref, &of);
      if (status == ACRE_ABSENT) {
        EXPECT(!object.entries.contains(key));
      } else if (Done(status, object)) {
        EXPECT(object.entries.erase(key) == 1);
      }
    } else {
      const Value value = Any(object.arena);
      const acre_value to = ValueOf(value);
      if (Done(acre_map_set(object.ref, &of, &to), object)) {
        object.entries[key] = value;
      }
    }
    Check(object);
  }

  void ChangeVector() {
    const int picked = Pick(ACRE_VECTOR, -1);
    if (picked < 0) return;
    Object& object = objects_[picked];
    auto& items = object.items;
    const std::size_t size = items.size();
    const std::size_t at = Below(size + 1);
    const Value value = Any(object.arena);
    const acre_value to = ValueOf(value);
    const auto place = items.begin() + static_cast<std::ptrdiff_t>(at);
    switch (Below(7)) {
      case 0:
        if (at < size && Done(acre_vector_set(object.ref, at, &to), object)) {
          *place = value;
        }
        break;
      case 1:
        if (Done(acre_vector_insert(object.ref, at, &to), object)) {
          items.insert(place, value);
        }
        break;
      case 2: {
        const std::size_t count = Below(size - at + 1);
        if (Done(acre_vector_erase(object.ref, at, count), object)) {
          items.erase(place, place + static_cast<std::ptrdiff_t>(count));
        }
        break;
      }
      case 3: {
        const std::size_t count = Below(size + 5);
        if (Done(acre_vector_resize(object.ref, count), object)) {
          items.resize(count);
        }
        break;
      }
      case 4:
        Sort(object);
        break;
      default:
        if (Done(acre_vector_push(object.ref, &to), object)) {
          items.push_back(value);
        }
    }
    Check(object);
  }

  void Sort(Object& object) {
    const bool can =
        std::all_of(object.items.begin(), object.items.end(),
                    [](const Value& item) { return item.kind <= ACRE_BYTES; });
    const int status = acre_vector_sort(object.ref);
    if (!can && status == ACRE_WRONG_KIND) return;
    if (!Done(status, object)) return;
    EXPECT(can);
    std::stable_sort(object.items.begin(), object.items.end(), IsBefore);
  }

  void ChangeBuilder() {
    const int picked = Pick(ACRE_BUILDER, -1);
    if (picked < 0) return;
    Object& object = objects_[picked];
    if (Below(3) == 0) {
      const std::size_t size = Below(object.text.size() + 1);
      if (Done(acre_builder_truncate(object.ref, size), object)) {
        object.text.resize(size);
      }
    } else if (object.text.size() < 20000) {
      // Sometimes of its own.
      const char* text = nullptr;
      std::size_t size = 0;
      EXPECT(acre_builder_text(object.ref, &text, &size) == ACRE_OK);
      const std::string added = Below(3) == 0 ? object.text : Text();
      const bool is_own = added == object.text;
      if (Done(acre_builder_append(object.ref, is_own ? text : added.data(),
                                   added.size()),
               object)) {
        object.text += added;
      }
    }
    Check(object);
  }

  void Free() {
    const int picked = Pick(0, -1);
    if (picked < 0) return;
    Object& object = objects_[picked];
    if (Done(acre_ref_free(object.ref), object)) object.is_live = false;
    Check(object);
  }

  /// Near to what is reserved, so that it is reached; or none.
  void Limit() {
    Home& home = homes_[Below(kArenas)];
    acre_stats stats = {sizeof stats, 0, 0, 0, 0};
    EXPECT(acre_arena_stats(home.arena, &stats) == ACRE_OK);
    home.has_limit = Below(2) == 0;
    const std::size_t limit =
        home.has_limit ? stats.reserved + 1 + Below(3) * 3000 : 0;
    EXPECT(acre_arena_set_byte_limit(home.arena, limit) == ACRE_OK);
  }

  void Checkpoint() {
    Home& home = homes_[Below(kArenas)];
    if (home.marks.size() == 3) return;
    Mark mark;
    const int status = acre_arena_checkpoint(home.arena, &mark.mark);
    if (status != ACRE_OK) {
      EXPECT(status == ACRE_BYTE_LIMIT && home.has_limit);
      return;
    }
    mark.time = ++time_;
    home.marks.push_back(mark);
  }

  void Rewind() {
    const auto arena = static_cast<int>(Below(kArenas));
    Home& home = homes_[arena];
    if (home.marks.empty()) return;
    const std::size_t at = Below(home.marks.size());
    const Mark mark = home.marks[at];
    EXPECT(acre_arena_rewind(home.arena, &mark.mark) == ACRE_OK);
    EXPECT(acre_arena_rewind(home.arena, &mark.mark) == ACRE_STALE);
    home.marks.resize(at);
    EndOf(arena, mark.time);
  }

  /// A reset, or the arena's end, after which another takes its memory.
  void Empty() {
    const auto arena = static_cast<int>(Below(kArenas));
    Home& home = homes_[arena];
    const auto way = Below(3);
    if (way == 0) {
      EXPECT(acre_arena_end(home.arena) == ACRE_OK);
      EndOf(arena, 0);
      Open(home);
    } else {
      EXPECT(acre_arena_reset(home.arena, way == 1 ? ACRE_KEEP_CHUNKS
                                                   : ACRE_RELEASE_CHUNKS) ==
             ACRE_OK);
      home.marks.clear();
    }
    EndOf(arena, 0);
  }

  void EndOf(int arena, std::uint64_t time) {
    for (Object& object : objects_) {
      if (object.arena == arena && object.birth > time) object.is_live = false;
    }
    CheckAll();
  }

  std::mt19937_64 random_;
  std::uint64_t time_ = 0;
  Home homes_[kArenas];
  // A reference in malloc'ed memory would not keep a collected arena.
  acre_ref* const refs_ =
      static_cast<acre_ref*>(GC_MALLOC(kMostObjects * sizeof(acre_ref)));
  std::vector<Object> objects_;
};

}  // namespace

int main(int argc, char** argv) {
  const int seeds = argc > 1 ? std::atoi(argv[1]) : 30;
  const int steps = argc > 2 ? std::atoi(argv[2]) : 8000;
  GC_INIT();
  int passed = 0;
  for (int seed = 1; seed <= seeds; ++seed) {
    try {
      Program program(static_cast<std::uint64_t>(seed));
      program.Run(steps);
      ++passed;
    } catch (const Wrong& wrong) {
      std::printf("FAILED seed %d: %s; acre_error() is \"%s\"\n", seed,
                  wrong.what.c_str(), acre_error());
    }
  }
  std::printf("%d passed, %d failed\n", passed, seeds - passed);
  return passed == seeds ? 0 : 1;
}
