// SPDX-License-Identifier: MIT
//
// The arena as a heap snapshot, in the format of V8's heap snapshots: flat
// arrays of numbers, to be read by the fields that `meta` lists. Counts stand
// before what is counted, hence the graph is gone through twice.

#include <fmt/format.h>

#include <deque>
#include <string>
#include <unordered_map>

#include "acre/audit_report.h"
#include "acre/json_writer.h"
#include "file_writer.h"
#include "heap_graph.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

/// Part of the format: V8's names, and the numbers that stand for them.
constexpr std::string_view kMeta =
    R"("meta":{"node_fields":["type","name","id","self_size","edge_count",)"
    R"("trace_node_id","detachedness"],)"
    R"("node_types":[["hidden","array","string","object","code","closure",)"
    R"("regexp","number","native","synthetic","concatenated string",)"
    R"("sliced string","symbol","bigint","object shape"],)"
    R"("string","number","number","number","number","number"],)"
    R"("edge_fields":["type","name_or_index","to_node"],)"
    R"("edge_types":[["context","element","property","internal","hidden",)"
    R"("shortcut","weak"],"string_or_number","node"],)"
    R"("trace_function_info_fields":["function_id","name","script_name",)"
    R"("script_id","line","column"],)"
    R"("trace_node_fields":["id","function_info_index","count","size",)"
    R"("children"],)"
    R"("sample_fields":["timestamp_us","last_assigned_id"],)"
    R"("location_fields":["object_index","script_id","line","column"]})";

constexpr std::size_t kNodeFields = 7;
enum NodeType : int { kString = 2, kObject = 3, kNative = 8, kSynthetic = 9 };
enum EdgeType : int { kElement = 1, kProperty = 2, kWeak = 6 };

NodeType TypeOf(NodeKind kind) {
  switch (kind) {
    case NodeKind::kRoot:
    case NodeKind::kGcRoots:
      return kSynthetic;
    case NodeKind::kText:
      return kString;
    case NodeKind::kOutside:
    case NodeKind::kObject:
    case NodeKind::kStorage:
    case NodeKind::kCollected:
      return kObject;
    case NodeKind::kRaw:
    case NodeKind::kChunk:
    case NodeKind::kTarget:
    case NodeKind::kRounding:
      return kNative;
  }
  return kNative;
}

/// Every string once. Types and fields make few; texts and keys may make as
/// many as there are blocks, so that past kMaxStrings only the former are
/// added.
class StringTable {
 public:
  /// 64 Ki strings of a few dozen bytes: some MiB at most.
  static constexpr std::size_t kMaxStrings = std::size_t{1} << 16;

  bool is_full() const { return order_.size() >= kMaxStrings; }

  std::size_t Add(std::string text) {
    const auto [at, is_new] =
        numbers_.try_emplace(std::move(text), order_.size());
    if (is_new) order_.push_back(&at->first);
    return at->second;
  }

  const std::deque<const std::string*>& order() const { return order_; }

 private:
  std::unordered_map<std::string, std::size_t> numbers_;
  std::deque<const std::string*> order_;  // keys of numbers_
};

class SnapshotWriter {
 public:
  SnapshotWriter(std::FILE* file, HeapGraph& graph)
      : graph_(graph), out_(file) {}

  bool Write() {
    WriteHead();
    WriteNodes();
    WriteEdges();
    out_.text() +=
        "\"trace_function_infos\":[],\n\"trace_tree\":[],\n"
        "\"samples\":[],\n\"locations\":[],\n";
    WriteStrings();
    return out_.Finish();
  }

 private:
  void WriteHead() {
    out_.text() += fmt::format(
        "{{\"snapshot\":{{{},\"node_count\":{},\"edge_count\":{},"
        "\"trace_function_count\":0}},\n",
        kMeta, graph_.nodes().size(), graph_.edge_count());
  }

  void WriteNodes() {
    out_.text() += "\"nodes\":[";
    std::size_t number = 0;
    for (const GraphNode& node : graph_.nodes()) {
      // Objects have odd ids, as V8's have.
      out_.text() +=
          fmt::format("{}{},{},{},{},{},0,0\n", number == 0 ? "" : ",",
                      int{TypeOf(node.kind)}, strings_.Add(NodeName(node)),
                      2 * number + 1, node.bytes, node.edges);
      ++number;
      out_.FlushIfFull();
    }
    out_.text() += "],\n";
  }

  std::string NodeName(const GraphNode& node) const {
    if (node.kind == NodeKind::kText && strings_.is_full()) return "...";
    return NameOf(node);
  }

  void WriteEdges() {
    out_.text() += "\"edges\":[";
    bool is_first = true;
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
      graph_.ForEachEdge(i, [&](const GraphEdge& edge) {
        if (!is_first) out_.text() += ',';
        is_first = false;
        WriteEdge(edge);
      });
      out_.FlushIfFull();
    }
    out_.text() += "],\n";
  }

  void WriteEdge(const GraphEdge& edge) {
    std::string name = NameOf(edge, !strings_.is_full());
    if (edge.is_weak && name.empty()) name = fmt::format("[{}]", edge.index);
    const bool has_name = !name.empty();
    const EdgeType type = edge.is_weak ? kWeak
                          : has_name   ? kProperty
                                       : kElement;
    out_.text() +=
        fmt::format("{},{},{}\n", int{type},
                    has_name ? strings_.Add(std::move(name)) : edge.index,
                    edge.to * kNodeFields);
    out_.FlushIfFull();
  }

  void WriteStrings() {
    JsonWriter json(out_.text(), {.bytes = JsonBytes::kShow});
    json.Key("strings");
    json.BeginArray();
    for (const std::string* text : strings_.order()) {
      json.Value(*text);
      out_.FlushIfFull();
    }
    json.EndArray();
    json.Flush();
    out_.text() += "}\n";
  }

  HeapGraph& graph_;
  FileWriter out_;
  StringTable strings_;
};

}  // namespace
}  // namespace detail

bool WriteHeapSnapshot(std::FILE* file, const Arena& arena,
                       std::span<const AuditRoot> roots,
                       const AuditReport& report) {
  detail::HeapGraph graph(arena, roots, report);
  return detail::SnapshotWriter(file, graph).Write();
}

}  // namespace acre::inline ACRE_ABI
