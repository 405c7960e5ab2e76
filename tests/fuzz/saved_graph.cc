// SPDX-License-Identifier: MIT

#include "saved_graph.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/checksum.h"
#include "acre/deep_copy.h"
#include "acre/map.h"
#include "acre/saved_arena.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "saved/saved_format.h"

namespace saved_graph {

using acre::detail::SavedHeader;
using acre::detail::SavedPart;

struct Node {
  Node* next = nullptr;
  const int* number = nullptr;  // into another Node, an array, a table
  acre::String name;
  int value = 0;
  bool is_set = false;
};
ACRE_LAYOUT(Node, next, number, name, value, is_set)

struct Graph {
  acre::Vector<Node> nodes;
  acre::Vector<acre::Vector<acre::String>> lines;
  acre::Map<acre::String, Node*> by_name;
  acre::Map<Node*, int> by_node;
  acre::Map<std::uint32_t, Node> inside;
  acre::Map<acre::String, int, acre::UntrustedHash<acre::String>> seeded;
  acre::Set<std::int64_t> numbers;
  acre::Set<int> none;
  std::array<Node*, 20> many = {};
  std::span<Node> some;
  std::string_view text;
  std::optional<Node*> maybe;
  std::optional<bool> flag;
  std::variant<std::monostate, int, acre::String, Node*> either;
  std::tuple<int, Node*, std::variant<int, bool>> three;
  void* outside = nullptr;
  int drawn = 0;
};
ACRE_LAYOUT(Graph, nodes, lines, by_name, by_node, inside, seeded, numbers,
            none, many, some, text, maybe, flag, either, three,
            borrowed(outside), transient(drawn))

namespace {

/// What leads outside is saved by another engine than all else.
Graph* MakeGraph(acre::Arena& arena, bool leads_outside) {
  auto* graph = arena.New<Graph>();
  constexpr int kNodes = 40;
  for (int i = 0; i < kNodes; ++i) {
    Node& node = graph->nodes.emplace_back();
    node.name = std::string(static_cast<std::size_t>(i), 'n');
    node.value = i;
    node.is_set = i % 2 == 0;
  }
  for (int i = 0; i < kNodes; ++i) {
    Node& node = graph->nodes[static_cast<std::size_t>(i)];
    node.next = &graph->nodes[static_cast<std::size_t>(i * 7 % kNodes)];
    node.number = &graph->nodes[static_cast<std::size_t>(i * 3 % kNodes)].value;
    graph->by_name[node.name] = &node;
    auto* other = arena.New<Node>();
    other->next = &node;
    other->name = "a name that does not fit into a String";
    graph->by_node[other] = i;
    graph->inside[static_cast<std::uint32_t>(i * 5)].next = other;
    graph->seeded[node.name] = i;
    graph->numbers.insert(i * 1'000'003LL);
    graph->many[static_cast<std::size_t>(i) % 20] = other;
    auto& line = graph->lines.emplace_back();
    line.emplace_back("short");
    line.emplace_back("a text that takes storage of its own, somewhere");
  }
  graph->some = {graph->nodes.data() + 3, 5};
  graph->nodes[1].number = &graph->inside[50].value;
  char* const text = static_cast<char*>(arena.Allocate(100, 1));
  std::memset(text, 't', 100);
  graph->text = leads_outside ? "a literal" : std::string_view(text, 100);
  graph->maybe = graph->many[2];
  graph->flag = true;
  graph->either = acre::String("one");
  graph->three = {1, graph->many[3], true};
  return graph;
}

/// Two files, made anew by each process.
const std::vector<std::uint8_t>& TheFile(bool leads_outside) {
  static const auto make = [](bool leads_outside) {
    acre::Arena arena({.name = "graph"});
    const char* const folder = std::getenv("TMPDIR");
    std::string path = folder != nullptr ? folder : "/tmp";
    path += "/acre-saved-graph-" + std::to_string(::getpid());
    std::vector<std::uint8_t> bytes;
    if (const auto error =
            acre::Save(arena, *MakeGraph(arena, leads_outside), path.c_str(),
                       {.outside = acre::Outside::kNull, .sync = false})) {
      std::fputs(error.text().c_str(), stderr);
      return bytes;
    }
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd >= 0 && ::fstat(fd, &status) == 0) {
      bytes.resize(static_cast<std::size_t>(status.st_size));
      if (::read(fd, bytes.data(), bytes.size()) != status.st_size) {
        bytes.clear();
      }
    }
    ::close(fd);
    ::unlink(path.c_str());
    return bytes;
  };
  static const std::vector<std::uint8_t> files[] = {make(false), make(true)};
  return files[leads_outside ? 1 : 0];
}

/// Numbers from the bytes; zeros behind their end.
class Choices {
 public:
  explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  std::uint64_t Below(std::uint64_t end) {
    std::uint64_t number = 0;
    for (int i = 0; i < 3 && !bytes_.empty(); ++i) {
      number = number << 8 | bytes_[0];
      bytes_ = bytes_.subspan(1);
    }
    return end == 0 ? 0 : number % end;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

class Forger {
 public:
  explicit Forger(std::vector<std::uint8_t> file) : file_(std::move(file)) {
    std::memcpy(&header_, file_.data(), sizeof header_);
  }

  void Change(Choices& choices) {
    switch (choices.Below(8)) {
      case 0:
      case 1:
      case 2:
        return ChangeWord(choices);
      case 3:
        return ChangeByteOf(header_.image, choices);
      case 4:
        return ChangeByteOf(header_.blocks, choices);
      case 5: {
        auto* const words = reinterpret_cast<std::uint64_t*>(&header_);
        const std::size_t count = sizeof header_ / sizeof *words;
        // The sum, which is the last, is put right.
        std::uint64_t& word = words[4 + choices.Below(count - 5)];
        word = choices.Below(2) == 0 ? word + choices.Below(9) - 4
                                     : choices.Below(1 << 24) * 0x9E3779B9u;
        return;
      }
      case 6:
        return SwapWords(choices);
      case 7:
        file_.resize(file_.size() - choices.Below(file_.size() / 16));
        if (choices.Below(2) == 0) header_.file_bytes = file_.size();
        return;
    }
  }

  /// As somebody would who wants it to be taken for whole.
  void Sign() {
    const auto sign = [&](SavedPart& part) {
      if (Has(part)) {
        part.sum = acre::detail::SumOf(file_.data() + part.at, part.bytes);
      }
    };
    constexpr std::size_t kPiece = acre::detail::kSumBytes;
    if (Has(header_.image) && Has(header_.sums)) {
      for (std::size_t at = 0; at < header_.image.bytes; at += kPiece) {
        const std::size_t size =
            std::min<std::size_t>(kPiece, header_.image.bytes - at);
        const std::uint64_t sum =
            acre::detail::SumOf(file_.data() + header_.image.at + at, size);
        const std::size_t place = at / kPiece * sizeof sum;
        if (place + sizeof sum > header_.sums.bytes) break;
        std::memcpy(file_.data() + header_.sums.at + place, &sum, sizeof sum);
      }
    }
    sign(header_.types);
    sign(header_.blocks);
    sign(header_.sums);
    header_.sum = acre::detail::SumOf(header_);
  }

  const std::vector<std::uint8_t>& Finish() {
    if (file_.size() >= sizeof header_) {
      std::memcpy(file_.data(), &header_, sizeof header_);
    }
    return file_;
  }

 private:
  bool Has(const SavedPart& part) const {
    return part.at <= file_.size() && part.bytes <= file_.size() - part.at &&
           part.at >= sizeof header_;
  }
  std::uint8_t* WordAt(Choices& choices) {
    if (!Has(header_.image)) return nullptr;
    return file_.data() + header_.image.at +
           choices.Below(header_.image.bytes / 8) * 8;
  }

  /// A word of the image becomes an address there, or something near what it
  /// was, or a size, or anything.
  void ChangeWord(Choices& choices) {
    std::uint8_t* const at = WordAt(choices);
    if (at == nullptr) return;
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    const std::uint64_t image = header_.base + acre::detail::kHomeBytes;
    switch (choices.Below(6)) {
      case 0:
        word = image + choices.Below(header_.image.bytes / 8) * 8;
        break;
      case 1:
        word += 16 * choices.Below(9) - 64;
        break;
      case 2:
        word ^= std::uint64_t{1} << choices.Below(64);
        break;
      case 3:
        word = choices.Below(300);
        break;
      case 4:
        word = image + header_.image.bytes - choices.Below(64);
        break;
      case 5:
        word = choices.Below(1 << 24) * 0x9E3779B97F4A7C15u;
        break;
    }
    std::memcpy(at, &word, sizeof word);
  }

  void SwapWords(Choices& choices) {
    std::uint8_t* const a = WordAt(choices);
    std::uint8_t* const b = WordAt(choices);
    if (a != nullptr && b != nullptr) std::swap_ranges(a, a + 8, b);
  }

  void ChangeByteOf(const SavedPart& part, Choices& choices) {
    if (!Has(part) || part.bytes == 0) return;
    file_[part.at + choices.Below(part.bytes)] =
        static_cast<std::uint8_t>(choices.Below(256));
  }

  std::vector<std::uint8_t> file_;
  SavedHeader header_;
};

/// All that a program may do with what it got.
void Use(acre::Arena& arena, Graph& graph) {
  graph.nodes.emplace_back().name = "another that does not fit into a String";
  for (auto& line : graph.lines) {
    line.emplace_back("one more text that takes storage of its own");
  }
  for (int i = 0; i < 100; ++i) {
    graph.by_name[std::to_string(i)] = nullptr;
    graph.inside[static_cast<std::uint32_t>(i)].name = "i";
    graph.numbers.insert(i);
    graph.none.insert(i);
    graph.seeded[std::to_string(i)] = i;
    graph.by_node[arena.New<Node>()] = i;
  }
  for (int i = 0; i < 200; i += 3) {
    graph.by_name.erase(std::string(static_cast<std::size_t>(i % 40), 'n'));
    graph.inside.erase(static_cast<std::uint32_t>(i));
    graph.numbers.erase(i * 1'000'003LL);
  }
  graph.by_node.clear();
  graph.lines.resize(3);
  graph.nodes.clear();
}

/// Empty, or what is wrong.
std::string TryLoad(const char* path, acre_test::SavedFileCounts* counts) {
  acre::SavedArena<Graph> saved = acre::LoadArena<Graph>(path);
  if (!saved) {
    ++counts->refused;
    return saved.error().text().empty() ? "refused without a word" : "";
  }
  ++counts->loaded;
  Graph& graph = saved.root();
  const acre::AuditReport report = acre::Audit(saved.arena(), graph);
  if (!report.findings.empty()) {
    return "a pointer that was let pass: " + report.findings[0].path + " " +
           report.findings[0].what;
  }
  static_cast<void>(acre::Checksum(saved.arena(), graph));
  acre::Arena other;
  static_cast<void>(acre::DeepCopy(other, graph));
  Use(saved.arena(), graph);
  return "";
}

}  // namespace
}  // namespace saved_graph

std::string acre_test::CheckSavedFile(std::span<const std::uint8_t> bytes,
                                      SavedFileCounts* counts) {
  saved_graph::Choices choices(bytes);
  const std::uint64_t first = choices.Below(16);
  const std::vector<std::uint8_t>& whole = saved_graph::TheFile(first % 2 == 0);
  if (whole.empty()) return "no file was saved";
  saved_graph::Forger forger(whole);
  const bool signs = first / 2 != 0;
  do {
    forger.Change(choices);
  } while (!choices.empty());
  if (signs) forger.Sign();
  const std::vector<std::uint8_t>& file = forger.Finish();
  const int fd = ::memfd_create("saved", MFD_CLOEXEC);
  if (fd < 0 || ::write(fd, file.data(), file.size()) !=
                    static_cast<ssize_t>(file.size())) {
    return "no memory for a file";
  }
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const std::string error = saved_graph::TryLoad(path.c_str(), counts);
  ::close(fd);
  return error;
}
