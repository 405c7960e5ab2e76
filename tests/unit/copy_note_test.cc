// SPDX-License-Identifier: MIT
//
// Guards the notes of a deep copy: one says what it was made of, and looking at
// 64 at once, by the vector unit or by portable code, says what each says.

#include "copy/copy_note.h"

// The portable variant, beside the native one, in a namespace of its own.
#undef ACRE_CONTAINERS_COPY_NOTE_H_
#undef ACRE_ABI
#define ACRE_ABI portable_notes
#define ACRE_PORTABLE_NOTES
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "copy/copy_note.h"

#if ACRE_CHECKED
namespace native = acre::checked_v1::detail;
#else
namespace native = acre::release_v1::detail;
#endif
namespace portable = acre::portable_notes::detail;

using native::CopyNote;
using native::FewNotes;
using Kind = CopyNote::Kind;

namespace {

std::size_t RoundUp(std::size_t bytes) { return (bytes + 15) / 16 * 16; }

struct alignas(16) Notes {
  std::uint16_t bits[64] = {};
};

}  // namespace

TEST_CASE("CopyNote: says what it was made of") {
  for (const unsigned number : {1u, 2u, 511u, 0x1fffu}) {
    const CopyNote note = CopyNote::Object(number);
    REQUIRE(note.is_start());
    CHECK(note.is_in_extent());
    CHECK(note.is_object());
    CHECK(note.kind() == Kind::kObject);
    CHECK(note.number() == number);
    CHECK(note.StartsObject(number));
    CHECK_FALSE(note.StartsObject(number ^ 1));
    CHECK(note.Waiting().is_object());
    CHECK(note.Waiting().number() == number);
    CHECK(note.Waiting().StartsObject(number));
    CHECK(note.Waiting().Entered().bits() == note.bits());
    CHECK(note.Waiting().waits());
    CHECK_FALSE(note.waits());
  }
  for (std::size_t bytes = 1; bytes <= 100; ++bytes) {
    for (const Kind kind : {Kind::kArray, Kind::kStorage}) {
      for (const unsigned number : {1u, 2u, 511u}) {
        const CopyNote note = CopyNote::Other(kind, number, bytes);
        REQUIRE(note.is_start());
        CHECK(note.is_in_extent());
        CHECK_FALSE(note.is_object());
        CHECK(note.kind() == kind);
        CHECK(note.number() == number);
        CHECK(note.pad() == RoundUp(bytes) - bytes);
        CHECK_FALSE(note.StartsObject(number));
        CHECK_FALSE(note.waits());
      }
    }
  }
  for (const std::size_t distance : {1u, 2u, 63u, 64u, 0x7fffu}) {
    const CopyNote note = CopyNote::Behind(distance);
    CHECK_FALSE(note.is_start());
    CHECK(note.is_in_extent());
    CHECK(note.distance() == distance);
    CHECK_FALSE(note.StartsObject(511));
  }
  CHECK(CopyNote::Behind(1 << 20).distance() == CopyNote::kMaxDistance);
  const CopyNote added = CopyNote::Behind(0);
  CHECK(added);
  CHECK_FALSE(added.is_start());
  CHECK_FALSE(added.is_in_extent());
  CHECK_FALSE(CopyNote());
  CHECK_FALSE(CopyNote().is_start());
  CHECK_FALSE(CopyNote().is_in_extent());
}

TEST_CASE("CopyNote: 64 at once say what each says") {
  std::vector<CopyNote> kinds = {CopyNote(),
                                 CopyNote::Object(1),
                                 CopyNote::Object(0x1fff),
                                 CopyNote::Object(1).Waiting(),
                                 CopyNote::Object(0x1fff).Waiting(),
                                 CopyNote::Other(Kind::kArray, 1, 16),
                                 CopyNote::Other(Kind::kArray, 511, 1),
                                 CopyNote::Other(Kind::kStorage, 1, 16),
                                 CopyNote::Other(Kind::kStorage, 511, 1),
                                 CopyNote::Behind(0),
                                 CopyNote::Behind(1),
                                 CopyNote::Behind(0x7fff)};
  std::mt19937 random(1);
  for (std::size_t round = 0; round < 2000; ++round) {
    Notes notes;
    std::uint64_t owned = 0;
    std::uint64_t starts = 0;
    std::uint64_t apart = 0;
    std::uint64_t waiting = 0;
    for (unsigned i = 0; i < 64; ++i) {
      CopyNote note = kinds[random() % kinds.size()];
      if (round % 4 == 0 && random() % 8 != 0) note = CopyNote();
      if (round % 4 == 1) note = CopyNote(static_cast<std::uint16_t>(random()));
      notes.bits[i] = note.bits();
      const std::uint64_t bit = std::uint64_t{1} << i;
      if (note) owned |= bit;
      if (note.is_start()) starts |= bit;
      if (note.is_start() && note.kind() != Kind::kStorage) apart |= bit;
      if (note.waits()) waiting |= bit;
    }
    const auto check = [&](auto all) {
      REQUIRE(all.Owned() == owned);
      REQUIRE(all.Starts() == starts);
      REQUIRE(all.StartsApart() == apart);
      REQUIRE(all.Waiting() == waiting);
      REQUIRE(all[round % 64].bits() == notes.bits[round % 64]);
    };
    check(native::NotesOf64(notes.bits));
    check(portable::NotesOf64(notes.bits));
  }
}

TEST_CASE("CopyNote: the notes of an extent in two words") {
  const CopyNote starts[] = {CopyNote::Object(7).Waiting(),
                             CopyNote::Other(Kind::kStorage, 9, 40)};
  for (const CopyNote start : starts) {
    for (std::size_t granules = 1; granules <= FewNotes::kMost; ++granules) {
      const FewNotes few(start, granules);
      for (std::size_t taken = 0; taken <= 8; ++taken) {
        std::uint16_t notes[9] = {};
        notes[taken] = 0x8001;
        const bool is_free = taken >= granules;
        REQUIRE(few.TryPut(notes) == is_free);
        for (std::size_t i = 0; i < 9; ++i) {
          const CopyNote wanted = i == 0 ? start : CopyNote::Behind(i);
          const unsigned bits = is_free && i < granules ? wanted.bits() : 0;
          REQUIRE(notes[i] == (i == taken ? 0x8001u : bits));
        }
      }
    }
  }
  std::uint16_t free[8] = {};
  CHECK_FALSE(FewNotes().TryPut(free));
  CHECK(free[0] == 0);
}
