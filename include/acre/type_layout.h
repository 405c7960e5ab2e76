// SPDX-License-Identifier: MIT
//
// TypeLayout: what compiled code knows of a type. Constant data, no RTTI. One
// description drives the element check, deep copy, deep free, the audit and
// the binding of handles. Users write ACRE_LAYOUT (<acre/layout.h>) and get
// this; they read it through LayoutOf<T>() (<acre/element.h>).
//
// Ownership: static storage; nothing here is ever freed.
// Threads: immutable.

#ifndef ACRE_TYPE_LAYOUT_H_
#define ACRE_TYPE_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "acre/config.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI {

/// What a value of the type is, as far as a walk is concerned.
enum class TypeKind : std::uint8_t {
  kPlain,    ///< no pointer inside: numbers, enums, plain data
  kPointer,  ///< T*
  kView,     ///< pointer and count: std::span, std::string_view
  kArray,    ///< T[n], std::array
  kStruct,   ///< registered struct, std::pair
  kTuple,    ///< std::tuple: parts at offsets only its ops know
  kChoice,   ///< std::optional, std::variant: at most one part is live
  kHandle,   ///< Vector, Map, Set, String, Json, GcRef, GcWeakRef
};

/// What the author of a layout says of a field.
enum class FieldNote : std::uint8_t {
  kNone,
  kOwned,     ///< FreeGraph follows it
  kBorrowed,  ///< points outside on purpose: neither copied, freed nor audited
  kReviewed,  ///< a finding here is accepted, for the reason given
  kOpaque,    ///< a hole in the layout: bit-fields, over-aligned padding
};

/// One part of a type: a field, an element, a pointee.
struct FieldLayout {
  std::string_view name;  ///< "hp", or "[]", "->", ".value()", ... for parts
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
  std::uint32_t align = 1;
  FieldNote note = FieldNote::kNone;
  bool is_transient = false;     ///< keeps its value when a History goes back
  std::string_view reason = {};  ///< of kReviewed
  const TypeLayout* (*type)() = nullptr;
};

/// `count` elements in a row. Null data for none.
struct ElementRun {
  const void* data = nullptr;
  std::size_t count = 0;
};

/// Fields in a row; as std::span, whose concepts take compilers longer than all
/// of a layout.
class FieldList {
 public:
  constexpr FieldList() = default;
  constexpr FieldList(const FieldLayout* fields, std::size_t count)
      : fields_(fields), count_(count) {}
  constexpr const FieldLayout* begin() const { return fields_; }
  constexpr const FieldLayout* end() const { return fields_ + count_; }
  constexpr const FieldLayout* data() const { return fields_; }
  constexpr std::size_t size() const { return count_; }
  constexpr bool empty() const { return count_ == 0; }
  constexpr const FieldLayout& operator[](std::size_t i) const {
    return fields_[i];
  }
  constexpr const FieldLayout& front() const { return fields_[0]; }
  constexpr const FieldLayout& back() const { return fields_[count_ - 1]; }

 private:
  const FieldLayout* fields_ = nullptr;
  std::size_t count_ = 0;
};

/// The live part of an optional or variant; null object for none.
struct ActivePart {
  const void* object = nullptr;
  unsigned index = 0;  ///< into TypeLayout::fields
};

/// The storage that a handle owns. Null block: none.
struct HandleStorage {
  void* block = nullptr;
  std::size_t bytes = 0;  ///< as it was asked of the arena
  std::size_t used = 0;   ///< of those, from the start: what a copy needs
  std::size_t align = 1;
  Arena* arena = nullptr;
  std::uint64_t stamp = 0;
  const TypeLayout* type = nullptr;  ///< as the arena was told, see Blocks
};

/// What became of storage that was to be copied.
struct StorageCopy {
  enum class Outcome : std::uint8_t {
    kNone,      ///< there are no elements, or they lie in the handle
    kCopied,    ///< `bytes` from `source` to `copy`
    kNoMemory,  ///< the handle is as it was
  };
  Outcome outcome = Outcome::kNone;
  const void* source = nullptr;
  void* copy = nullptr;
  std::size_t bytes = 0;
};

/// Bytes that a file has brought, found by the addresses that they had when
/// they were saved.
struct SavedBytes {
  const void* context = nullptr;
  /// Where they are; null where there are not as many from there on.
  const void* (*find)(const void* context, const void* saved,
                      std::size_t bytes) = nullptr;
  /// True for the first element of storage that has a form of its own.
  bool is_head = false;
  const void* Find(const void* saved, std::size_t bytes) const {
    return find(context, saved, bytes);
  }
};

/// How a handle looks, where a walk may read it without a call.
enum class HandleForm : std::uint8_t {
  kOther,    ///< known to its ops alone
  kVector,   ///< a VectorRep
  kString,   ///< a String
  kRef,      ///< a GcRef
  kWeakRef,  ///< a GcWeakRef
};

/// What only compiled code for the very type can do. Entries that do not apply
/// to the kind are null.
struct TypeOps {
  // kView
  ElementRun (*view)(const void* object) = nullptr;
  void (*set_view)(void* object, const void* data) = nullptr;
  // kChoice, kTuple
  ActivePart (*active)(const void* object) = nullptr;
  const void* (*part)(const void* object, std::size_t index) = nullptr;
  // kHandle
  HandleForm form = HandleForm::kOther;
  void (*bind)(void* handle, Arena* arena) = nullptr;
  void (*release)(void* handle) = nullptr;
  HandleStorage (*storage)(const void* handle) = nullptr;
  /// Of that the block, and `used` for the count: in registers.
  ElementRun (*in_use)(const void* handle) = nullptr;
  /// The next run of elements; `cursor` starts at 0. Null data: no more.
  ElementRun (*next_run)(const void* handle, std::size_t* cursor) = nullptr;
  /// The handle's bytes were copied from elsewhere; its storage now is `block`
  /// of `bytes` bytes in `arena`, or none where block is null.
  void (*adopt)(void* handle, Arena* arena, void* block,
                std::size_t bytes) = nullptr;
  /// The handle's bytes were copied from elsewhere; gives it storage of its own
  /// in `arena`, with the bytes of the elements; to a reference, a slot.
  StorageCopy (*copy_storage)(void* handle, Arena* arena) = nullptr;
  /// Puts every element where its (changed) key belongs, and calls
  /// moved(context, from, to) for each, in their old order. Null: never needed.
  void (*rehash)(void* handle,
                 void (*moved)(void* context, const void* from, void* to),
                 void* context) = nullptr;
  /// Of tables whose hash has a seed of the process: as rehash, for another
  /// one.
  void (*reseed)(void* handle,
                 void (*moved)(void* context, const void* from, void* to),
                 void* context) = nullptr;
  /// Of a handle that a file has brought, of which nothing may be believed yet:
  /// what `storage` would say, its block at the address that it had; and false
  /// where the handle, or what its storage says of itself, cannot be. What the
  /// elements are is not looked at.
  bool (*is_sound)(const void* handle, const SavedBytes& bytes,
                   HandleStorage* storage) = nullptr;
  /// Of a container with a form of its own: a hash of all that it holds, equal
  /// for equal values in every process. Null: its elements say all.
  std::uint64_t (*digest)(const void* handle) = nullptr;
  /// As next_run, of the storage of a table without its handle.
  ElementRun (*next_in_storage)(const void* block, std::size_t bytes,
                                std::size_t* cursor) = nullptr;
};

/// A type, described. See TypeKind for what `fields` holds: the fields of a
/// struct, the alternatives of a choice, the parts of a tuple, the key and the
/// value of a Map; for every other kind the one element or pointee.
struct TypeLayout {
  std::string_view name;  ///< as the compiler spells it
  std::uint64_t id = 0;   ///< hash of name and shape; equal across libraries
  std::size_t size = 0;
  std::size_t align = 1;
  std::size_t count = 1;  ///< elements of a kArray
  TypeKind kind = TypeKind::kPlain;
  bool has_slots = false;         ///< holds a pointer, view or handle by value
  bool has_handles = false;       ///< holds a handle by value
  bool has_refs = false;          ///< GcRefs or GcWeakRefs among them
  std::string_view offence = {};  ///< why it is no element; empty: it may be
  std::string_view offence_field = {};  ///< the field that `offence` names
  std::string_view weak = {};  ///< offence told only if no part explains it
  FieldList fields = {};
  FieldList slots = {};                      ///< kStruct: fields with has_slots
  const TypeLayout* (*element)() = nullptr;  ///< of runs, arrays, pointers
  const TypeOps* ops = nullptr;
};

/// Layouts are compared by id: each shared library has its own copy.
constexpr bool SameType(const TypeLayout& a, const TypeLayout& b) {
  return &a == &b || a.id == b.id;
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_TYPE_LAYOUT_H_
