// SPDX-License-Identifier: MIT

#include "core/sampler.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "acre/detail/fill.h"
#include "acre/type_layout.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// Before every static arena.
__attribute__((constructor(101))) void ReadEnvironment() {
  if (!kChecked) SlowPath::ReadEnvironment();
}

}  // namespace

std::uint32_t SlowPath::default_one_in = 0;
bool SlowPath::is_auditing_off = false;

void SlowPath::ReadEnvironment() {
  const char* const audit = std::getenv("ACRE_AUDIT");
  is_auditing_off = audit != nullptr && std::strcmp(audit, "off") == 0;
  const char* const text = std::getenv("ACRE_AUDIT_ONE_IN");
  if (text == nullptr || text[0] == '\0') return;
  char* end = nullptr;
  const unsigned long value = std::strtoul(text, &end, 10);
  if (*end != '\0' || text[0] < '0' || text[0] > '9' || value > UINT32_MAX) {
    std::fprintf(stderr,
                 "acre: ACRE_AUDIT_ONE_IN is '%s', not a number from 0 to "
                 "4294967295\n",
                 text);
    return;
  }
  default_one_in = static_cast<std::uint32_t>(value);
}

/// Before the index gets that memory. False where memory ran out.
bool SlowPath::StartSampling(ChunkMemory memory) {
  const std::uint32_t one_in = AuditOneIn();
  if (one_in == 0 || a_.sampler_ != nullptr || a_.entry_->keeper != nullptr) {
    return true;
  }
  static std::atomic<std::uint32_t> last{0};
  const AuditedPages pages{one_in,
                           last.fetch_add(1, std::memory_order_relaxed)};
  if (!pages.HasAny(memory.address, memory.size)) return true;
  void* const place = std::calloc(1, sizeof(Sampler));
  if (place == nullptr) return false;
  a_.entry_->sampler = a_.sampler_ = ::new (place) Sampler{pages};
  CheckUser();  // who uses it has not been asked before
  a_.reclaim_at_ = 0;
  Exchange(a_.updating_, true);  // as it would be by now
  if (a_.entry_->watch == nullptr) MakeWatch(*a_.entry_);
  return true;
}

/// Where there is no memory for that, it is not audited.
void SlowPath::SampleParked(Chunk& chunk) {
  if (!StartSampling(chunk.memory) || a_.sampler_ == nullptr) return;
  chunk.blocks.Create(chunk.begin, chunk.memory.size - kChunkHeader);
}

char* SlowPath::HiddenLimit() const {
  if (a_.current_ == nullptr) return a_.limit_;
  return a_.sampler_ != nullptr && a_.sampler_->is_tail_aside
             ? a_.cursor_
             : a_.current_->limit;
}

/// What is at the cursor comes by the slow path where it is to be recorded, and
/// where the block before it may grow.
void SlowPath::HideAudited() {
  Sampler& sampler = *a_.sampler_;
  a_.reclaim_at_ = 0;
  if (a_.current_ == nullptr || sampler.hidden != 0 || sampler.is_tail_aside ||
      a_.cursor_ == sampler.last_end) {
    a_.limit_ = a_.cursor_;
    return;
  }
  const bool is_known =
      sampler.clear_in == a_.current_ && a_.cursor_ >= sampler.clear_from &&
      a_.cursor_ < sampler.clear_to && sampler.clear_to <= a_.current_->limit;
  if (!is_known) {
    sampler.clear_in = a_.current_;
    sampler.clear_from = a_.cursor_;
    sampler.clear_to = sampler.pages.StopFrom(a_.cursor_, a_.current_->limit);
  }
  a_.limit_ = sampler.clear_to;
}

/// A free block of an audited page is about to get into the list of that class.
void SlowPath::HoldBack(unsigned index) {
  Sampler& sampler = *a_.sampler_;
  // Where there is no list for it, what is held back could not be shown.
  if (sampler.pages.one_in == 1 || sampler.is_held[index] || !HasList(index)) {
    return;
  }
  sampler.is_held[index] = true;
  ++sampler.hidden;
  sampler.waits = 0;
  sampler.held[index] = std::exchange(a_.FreeList(index), nullptr);
}

void SlowPath::Show(unsigned index) {
  Sampler& sampler = *a_.sampler_;
  if (!sampler.is_held[index]) return;
  sampler.is_held[index] = false;
  --sampler.hidden;
  a_.FreeList(index) = std::exchange(sampler.held[index], nullptr);
}

/// Of classes of which nothing is taken: what they have in audited pages stays
/// free until a block of them comes by the slow path.
void SlowPath::WaitNoLonger() {
  for (unsigned index = 1; index < kClassCount; ++index) Show(index);
}

bool SlowPath::IsRecorded(const void* block) const {
  if (kChecked || a_.sampler_ == nullptr) return kChecked;
  const Chunk* const chunk = ChunkOf(block);
  const auto* const at = static_cast<const char*>(block);
  return chunk != nullptr && chunk->blocks.exists() &&
         chunk->blocks.IsStart(at) &&
         static_cast<BlockState>(chunk->blocks.Get(at).state) ==
             BlockState::kLive;
}

void SlowPath::NoteSampled(void* block, std::size_t bytes, std::size_t align,
                           const TypeLayout* type) {
  Sampler& sampler = *a_.sampler_;
  if (sampler.hidden != 0 && ++sampler.waits > Sampler::kPatience) {
    WaitNoLonger();
  }
  sampler.taken = nullptr;
  const std::size_t rounded = BlockFor(bytes, align).bytes;
  if (!sampler.pages.HasAny(block, rounded)) return;
  Chunk& chunk = *ChunkOf(block);
  if (!chunk.blocks.exists()) return;
  NoteBlock(chunk, block, bytes, align, type);
  // An object that is still to be made must not be taken for one.
  FillAudited(static_cast<char*>(block), bytes,
              type != nullptr ? type->size : Sampler::kRawElement, kFreshByte);
  sampler.last_end = static_cast<char*>(block) + rounded;
  sampler.taken = block;
}

void SlowPath::NoteLonger(void* block, std::size_t old_bytes, std::size_t bytes,
                          const TypeLayout& element) {
  if (a_.is_heap_ || IsRecorded(block) ||
      !a_.sampler_->pages.HasAny(block, bytes)) {
    return;
  }
  const Updating updating(*this);
  Chunk& chunk = *ChunkOf(block);
  if (!chunk.blocks.exists()) return;
  NoteBlock(chunk, block, bytes, element.align, &element);
  chunk.blocks.At(static_cast<char*>(block)).is_storage = 1;
  FillAudited(static_cast<char*>(block) + old_bytes, bytes - old_bytes,
              element.size, kFreshByte);
  a_.sampler_->last_end = a_.cursor_;
}

void SlowPath::FillAudited(char* begin, std::size_t bytes, std::size_t element,
                           int byte) const {
  const AuditedPages* const few = FewAuditedPages();
  if (few == nullptr) {
    std::memset(begin, byte, bytes);
    return;
  }
  const char* const end = begin + bytes;
  const char* from = begin;
  for (const char* to = nullptr; few->NextPart(&from, end, &to); from = to) {
    const std::size_t before =
        std::min(element, static_cast<std::size_t>(from - begin));
    const std::size_t behind =
        std::min(element, static_cast<std::size_t>(end - to));
    std::memset(begin + (from - begin) - before, byte,
                before + static_cast<std::size_t>(to - from) + behind);
  }
}

void SlowPath::StopSampling() {
  if (a_.sampler_ == nullptr) return;
  const Updating updating(*this);
  for (unsigned index = 1; index < kClassCount; ++index) {
    Show(index);
    // Where there is no memory for the larger lists what they have waits.
    if (HasList(index)) Join(a_.sampler_->lists[index], a_.FreeList(index));
  }
  if (a_.current_ != nullptr) SetLimit(a_.current_->limit);
  for (Chunk* chunk = a_.entry_->chunks; chunk != nullptr;
       chunk = chunk->next_owned) {
    chunk->blocks.Destroy();
  }
  a_.sampler_ = nullptr;
  std::free(std::exchange(a_.entry_->sampler, nullptr));
  Exchange(a_.updating_, false);
}

}  // namespace acre::inline ACRE_ABI::detail
