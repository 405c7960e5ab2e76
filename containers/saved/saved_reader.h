// SPDX-License-Identifier: MIT
//
// SavedReader: makes the objects of an image those of an arena that is here:
// pointers lead to where things are now, containers are the arena's. Goes
// through the blocks as they lie, one by one. Where it verifies nothing in the
// image is believed before it has been looked at.
//
//   a pointer leads to     the start of such an object, or of a part of another
//                          one, within one block
//   storage                has one container, of that type and size
//   a flag, an index       has a value that it can have
//
// Internal to acre.

#ifndef ACRE_CONTAINERS_SAVED_SAVED_READER_H_
#define ACRE_CONTAINERS_SAVED_SAVED_READER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/look_ahead.h"
#include "acre/detail/nested_rows.h"
#include "acre/saved_arena.h"
#include "copy/table_keys.h"
#include "saved/saved_blocks.h"
#include "saved/saved_plan.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// An image, and where its first byte lay when it was saved.
struct SavedImage {
  char* bytes;
  std::uint64_t size;
  std::uint64_t saved_at;
};

class SavedReader {
 public:
  SavedReader(const SavedPlans& plans, const SavedImage& image, Arena& arena,
              bool verifies)
      : plans_(plans), image_(image), arena_(arena), verifies_(verifies) {}
  SavedReader(const SavedReader&) = delete;
  SavedReader& operator=(const SavedReader&) = delete;

  /// `list`: of the blocks, `count` of them. `root`: in the image.
  SaveError Run(std::string_view list, std::uint64_t count, std::uint64_t root);

  /// Where it is after that.
  char* root() const { return root_; }

 private:
  /// Elements, where they are now. Of entries of a table the first `key_bytes`
  /// are the key.
  struct Row {
    char* data;
    std::size_t count;
    const SavedPlan* plan;
    std::size_t key_bytes = 0;
    bool has_head = false;  // see SavedBytes
  };
  /// A pointer into a table, of which nothing is known yet.
  struct Later {
    std::size_t block;
    std::size_t offset;
    std::size_t count;
    const SavedPlan* plan;
    const SavedPlan* in;
    bool is_text;  // a string_view
  };
  /// A pointer that has been moved, the code of its target asked for.
  struct Pending {
    char* slot = nullptr;
    std::uint64_t address = 0;
    const SavedPlan* target = nullptr;
    const SavedPlan* plan = nullptr;  // of the object that it is in
    char* object = nullptr;
    std::size_t key_bytes = 0;
  };
  static constexpr std::size_t kNone = SIZE_MAX;
  static constexpr std::uint8_t kOtherCode = 255;

  /// Of a block of objects of the type with that number.
  static std::uint8_t CodeOf(std::uint32_t number) {
    return number < kOtherCode - 1 ? static_cast<std::uint8_t>(number + 1)
                                   : kOtherCode;
  }

  template <class Visit>
  bool ForEachBlock(std::string_view list, Visit visit);
  bool MakeIndex(std::string_view list, std::uint64_t count);
  void CheckRest(std::uint64_t root);
  void TakeRow(const Row& row);
  void TakeObject(const SavedPlan& plan, char* object);
  void TakeStep(const SavedPlan& plan, const SavedStep& step, char* slot);
  void MovePointers(const Row& row);
  void TakePointer(const SavedStep& step, char* slot);
  void Finish(const Pending& pending);
  void TakeView(const SavedStep& step, char* slot);
  void TakeHandle(const SavedStep& step, char* slot);
  void TakeElements(const SavedStep& step, const SavedPlan& element,
                    const HandleStorage& storage, char* block);
  void TakeValue(const SavedPlan& plan, const SavedStep& step, char* value);
  void TakeValues(const SavedPlan& plan, const char* object);
  bool Claim(const SavedStep& step, const SavedPlan& element,
             const HandleStorage& storage, char* slot);
  bool MustTake(const SavedPlan& plan) const {
    return !plan.steps.empty() || (verifies_ && !plan.values.empty());
  }
  bool Follow(const SavedPlan& target, std::uint64_t address, std::size_t count,
              char* slot, const TypeLayout* view);
  void CheckLater();
  void CheckOwners();

  std::size_t BlockAt(std::uint64_t offset) const;
  static const void* FindBytes(const void* self, const void* saved,
                               std::size_t bytes);
  /// By numbers: the address may be any.
  char* Now(const void* saved) const {
    return reinterpret_cast<char*>(
        reinterpret_cast<std::uintptr_t>(image_.bytes) +
        (reinterpret_cast<std::uintptr_t>(saved) - image_.saved_at));
  }
  /// Where it led when it was saved.
  ACRE_INLINE std::uint64_t MovePointer(char* slot) const {
    std::uint64_t address;
    std::memcpy(&address, slot, sizeof address);
    if (address != 0) {
      char* const now = Now(reinterpret_cast<const void*>(address));
      std::memcpy(slot, &now, sizeof now);
    }
    return address;
  }
  void Fail(const char* slot, std::string what);

  const SavedPlans& plans_;
  const SavedImage image_;
  Arena& arena_;
  const bool verifies_;
  bool is_moved_ = false;
  char* root_ = nullptr;
  // The index, where one is needed. By granule: 1 + the block that starts
  // there, and its code, which most often is enough.
  std::vector<SavedBlock> blocks_;
  std::vector<std::uint32_t> starts_;
  std::vector<std::uint8_t> codes_;
  NestedRows<Row> rows_;
  LookAhead<Pending> pending_;
  std::vector<Later> later_;
  TableKeys keys_;
  // The object that is being looked at.
  const SavedPlan* plan_ = nullptr;
  char* object_ = nullptr;
  std::size_t key_bytes_ = 0;
  const char* head_ = nullptr;
  SaveError error_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_SAVED_SAVED_READER_H_
