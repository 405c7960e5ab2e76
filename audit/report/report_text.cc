// SPDX-License-Identifier: MIT
//
// Names and the text report.

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "acre/audit_report.h"

namespace acre::inline ACRE_ABI {

std::string_view NameOf(Target target) noexcept {
  switch (target) {
    case Target::kCollectedHeap:
      return "collected heap";
    case Target::kCollectedArena:
      return "another collected arena";
    case Target::kOtherArena:
      return "another arena";
    case Target::kFreed:
      return "freed block";
    case Target::kOtherType:
      return "block of another type";
    case Target::kInterior:
      return "inside of a block";
    case Target::kUnused:
      return "unused memory";
    case Target::kMisaligned:
      return "misaligned";
    case Target::kStale:
      return "stale memory";
    case Target::kUntraced:
      return "collected heap, not traced";
    case Target::kStack:
      return "stack";
    case Target::kStatic:
      return "static storage";
    case Target::kFreedObject:
      return "freed object of the collected heap";
    case Target::kEndedArena:
      return "an arena that has ended";
    case Target::kUnknown:
      return "unknown memory";
  }
  return "?";
}

std::string_view NameOf(FindingKind kind) noexcept {
  switch (kind) {
    case FindingKind::kPointer:
      return "pointer";
    case FindingKind::kSpan:
      return "span";
    case FindingKind::kString:
      return "string";
    case FindingKind::kContainer:
      return "container";
    case FindingKind::kWord:
      return "word";
  }
  return "?";
}

namespace {

/// ANSI escapes, or nothing.
class Paint {
 public:
  explicit Paint(bool is_on) : is_on_(is_on) {}
  std::string_view red() const { return is_on_ ? "\x1b[1;31m" : ""; }
  std::string_view yellow() const { return is_on_ ? "\x1b[33m" : ""; }
  std::string_view dim() const { return is_on_ ? "\x1b[2m" : ""; }
  std::string_view bold() const { return is_on_ ? "\x1b[1m" : ""; }
  std::string_view off() const { return is_on_ ? "\x1b[0m" : ""; }

 private:
  bool is_on_;
};

std::string Counted(std::size_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

std::string_view TitleOf(const Finding& finding) {
  if (finding.is_known) return "known";
  if (finding.kind == FindingKind::kWord) return "POSSIBLE LEAK";
  return finding.is_leak() ? "LEAK" : "finding";
}

/// Findings of one identity: a hundred elements that leak are one fault.
struct Like {
  const Finding* first;
  std::size_t others = 0;
};

/// In the order of the first of each.
std::vector<Like> GroupLike(const std::vector<Finding>& findings) {
  std::vector<Like> groups;
  std::map<std::pair<std::string, bool>, std::size_t> group_of;
  for (const Finding& finding : findings) {
    const auto [at, is_new] = group_of.try_emplace(
        {IdentityOf(finding), finding.is_known}, groups.size());
    if (is_new)
      groups.push_back({&finding});
    else
      ++groups[at->second].others;
  }
  return groups;
}

void WriteFinding(std::string& text, const Finding& finding,
                  const Paint& paint) {
  const std::string_view color = finding.is_known    ? paint.dim()
                                 : finding.is_leak() ? paint.red()
                                                     : paint.yellow();
  text += fmt::format("{}{}:{} {}{}{}\n", color, TitleOf(finding), paint.off(),
                      paint.bold(), finding.path, paint.off());
  if (finding.kind == FindingKind::kWord) {
    text += fmt::format("    word at {} like a pointer to {}: {}\n",
                        finding.slot, NameOf(finding.target), finding.what);
  } else {
    text += fmt::format("    {} at {} to {}, {}: {}\n", NameOf(finding.kind),
                        finding.slot, finding.type, NameOf(finding.target),
                        finding.what);
  }
  text += fmt::format("    {}{}{}\n", paint.dim(), finding.hint, paint.off());
}

}  // namespace

std::string ToText(const AuditReport& report, const TextOptions& options) {
  const Paint paint(options.color);
  std::string text =
      fmt::format("audit of arena '{}': {}{}, {}{}", report.arena,
                  report.leaks() != 0 ? paint.red() : paint.bold(),
                  Counted(report.leaks(), "leak"),
                  Counted(report.findings.size(), "finding"), paint.off());
  // Audits at collections do not count.
  if (report.objects != 0) {
    text += fmt::format("; {} objects, {} pointers", report.objects,
                        report.pointers);
  }
  text += '\n';
  for (const Like& like : GroupLike(report.findings)) {
    WriteFinding(text, *like.first, paint);
    if (like.others != 0) {
      text += fmt::format("    (and {} more like it)\n", like.others);
    }
  }
  if (report.omitted != 0) {
    text += fmt::format("{} more findings are not listed\n", report.omitted);
  }
  if (report.reviewed != 0) {
    text += fmt::format("{} findings at reviewed fields\n", report.reviewed);
  }
  if (report.known != 0) {
    text +=
        fmt::format("{} findings are listed in the baseline\n", report.known);
  }
  for (const Garbage& garbage : report.garbage) {
    text += fmt::format("garbage: {} of {}, {} bytes\n",
                        Counted(garbage.blocks, "block"), garbage.type,
                        garbage.bytes);
  }
  if (!report.note.empty()) text += fmt::format("note: {}\n", report.note);
  return text;
}

std::string ToText(const HolderReport& report) {
  std::string text = fmt::format("holders of arena '{}': ", report.arena);
  if (!report.error.empty()) return text + report.error + "\n";
  text += fmt::format("{} possible\n", report.holders.size() + report.omitted);
  for (const Holder& holder : report.holders) {
    text += fmt::format("    {}", NameOf(holder.kind));
    if (holder.base != nullptr) {
      text += fmt::format(" of {} bytes at {}", holder.bytes, holder.base);
    }
    if (holder.thread != 0) text += fmt::format(" of thread {}", holder.thread);
    if (!holder.name.empty()) text += fmt::format(" {}", holder.name);
    text += fmt::format(": at {}, to {}\n", holder.slot, holder.address);
  }
  if (report.omitted != 0) {
    text += fmt::format("{} more are not listed\n", report.omitted);
  }
  if (report.unread_stacks != 0) {
    text += fmt::format("{} stacks could not be read\n", report.unread_stacks);
  }
  text += fmt::format("{}\n", HolderReport::kBlindSpots);
  return text;
}

bool WantsColor(std::FILE* file) noexcept {
  const char* no_color = std::getenv("NO_COLOR");
  return (no_color == nullptr || no_color[0] == '\0') &&
         isatty(fileno(file)) != 0;
}

}  // namespace acre::inline ACRE_ABI
