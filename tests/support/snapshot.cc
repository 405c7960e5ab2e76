// SPDX-License-Identifier: MIT

#include "support/snapshot.h"

#include <algorithm>
#include <set>

#include "support/json.h"

namespace acre_test {
namespace {

using Keys = std::vector<std::string>;
using Kind = Json::Kind;

Keys TextsOf(const Json& array) {
  Keys texts;
  for (const Json& item : array.items) texts.push_back(item.text);
  return texts;
}

class Reader {
 public:
  explicit Reader(std::string_view text) {
    if (!ParseJson(text, &json_, &result_.error)) return;
    ReadMeta() && ReadStrings() && ReadNodes() && ReadEdges() && CheckReached();
  }

  Snapshot Take() { return std::move(result_); }

 private:
  bool Require(bool is_so, const std::string& error) {
    if (!is_so && result_.error.empty()) result_.error = error;
    return is_so;
  }

  bool ReadMeta() {
    const Json& snapshot = json_["snapshot"];
    const Json& meta = snapshot["meta"];
    return Require(json_.keys == Keys{"snapshot", "nodes", "edges",
                                      "trace_function_infos", "trace_tree",
                                      "samples", "locations", "strings"},
                   "keys of the whole") &&
           Require(snapshot.keys == Keys{"meta", "node_count", "edge_count",
                                         "trace_function_count"},
                   "keys of snapshot") &&
           Require(meta.keys == Keys{"node_fields", "node_types", "edge_fields",
                                     "edge_types", "trace_function_info_fields",
                                     "trace_node_fields", "sample_fields",
                                     "location_fields"},
                   "keys of meta") &&
           Require(TextsOf(meta["node_fields"]) ==
                       Keys{"type", "name", "id", "self_size", "edge_count",
                            "trace_node_id", "detachedness"},
                   "node_fields") &&
           Require(TextsOf(meta["edge_fields"]) ==
                       Keys{"type", "name_or_index", "to_node"},
                   "edge_fields") &&
           Require(meta["node_types"].items.size() == kNodeFields,
                   "node_types") &&
           Require(meta["edge_types"].items.size() == kEdgeFields,
                   "edge_types") &&
           Require(snapshot["trace_function_count"].whole() == 0,
                   "trace_function_count") &&
           Require(json_["samples"].items.empty() &&
                       json_["locations"].items.empty() &&
                       json_["trace_tree"].items.empty() &&
                       json_["trace_function_infos"].items.empty(),
                   "what there is none of");
  }

  bool ReadStrings() {
    result_.strings = TextsOf(json_["strings"]);
    for (const Json& text : json_["strings"].items) {
      if (!Require(text.kind == Kind::kText, "a string is none")) return false;
    }
    const std::set<std::string> unique(result_.strings.begin(),
                                       result_.strings.end());
    return Require(unique.size() == result_.strings.size(),
                   "a string comes twice");
  }

  bool ReadNodes() {
    const std::vector<Json>& flat = json_["nodes"].items;
    const Keys types = TextsOf(json_["snapshot"]["meta"]["node_types"][0u]);
    const std::size_t count = json_["snapshot"]["node_count"].whole();
    if (!Require(flat.size() == count * kNodeFields, "node_count")) {
      return false;
    }
    std::set<std::size_t> ids;
    for (std::size_t i = 0; i < flat.size(); i += kNodeFields) {
      SnapshotNode node;
      const std::size_t type = flat[i].whole();
      const std::size_t name = flat[i + 1].whole();
      if (!Require(type < types.size(), "type of a node") ||
          !Require(name < result_.strings.size(), "name of a node")) {
        return false;
      }
      node.type = types[type];
      node.name = result_.strings[name];
      node.id = flat[i + 2].whole();
      node.self_size = flat[i + 3].whole();
      edge_counts_.push_back(flat[i + 4].whole());
      if (!Require(ids.insert(node.id).second, "an id comes twice") ||
          !Require(node.self_size != std::string::npos, "self_size") ||
          !Require(flat[i + 5].whole() == 0 && flat[i + 6].whole() == 0,
                   "trace_node_id or detachedness")) {
        return false;
      }
      result_.nodes.push_back(std::move(node));
    }
    return true;
  }

  bool ReadEdges() {
    flat_edges_ = &json_["edges"].items;
    const std::size_t count = json_["snapshot"]["edge_count"].whole();
    if (!Require(flat_edges_->size() == count * kEdgeFields, "edge_count")) {
      return false;
    }
    std::size_t at = 0;
    for (std::size_t i = 0; i < result_.nodes.size(); ++i) {
      for (std::size_t n = 0; n < edge_counts_[i]; ++n, at += kEdgeFields) {
        if (!Require(at < flat_edges_->size(), "too few edges") ||
            !ReadEdge(at, result_.nodes[i])) {
          return false;
        }
      }
    }
    return Require(at == flat_edges_->size(), "edges of no node");
  }

  bool ReadEdge(std::size_t at, SnapshotNode& node) {
    const Keys types = TextsOf(json_["snapshot"]["meta"]["edge_types"][0u]);
    const std::size_t type = (*flat_edges_)[at].whole();
    const std::size_t name = (*flat_edges_)[at + 1].whole();
    const std::size_t to = (*flat_edges_)[at + 2].whole();
    if (!Require(type < types.size(), "type of an edge") ||
        !Require(
            to % kNodeFields == 0 && to / kNodeFields < result_.nodes.size(),
            "to_node")) {
      return false;
    }
    SnapshotEdge edge{types[type], {}, 0, to / kNodeFields};
    if (edge.type == "element" || edge.type == "hidden") {
      edge.index = name;
    } else if (Require(name < result_.strings.size(), "name of an edge")) {
      edge.name = result_.strings[name];
    }
    node.edges.push_back(std::move(edge));
    return true;
  }

  bool CheckReached() {
    if (!Require(!result_.nodes.empty(), "no root")) return false;
    std::vector<bool> reached(result_.nodes.size());
    std::vector<std::size_t> open{0};
    reached[0] = true;
    while (!open.empty()) {
      const std::size_t from = open.back();
      open.pop_back();
      for (const SnapshotEdge& edge : result_.nodes[from].edges) {
        if (!reached[edge.to]) open.push_back(edge.to);
        reached[edge.to] = true;
      }
    }
    return Require(
        std::find(reached.begin(), reached.end(), false) == reached.end(),
        "a node is not reached from the root");
  }

  static constexpr std::size_t kNodeFields = 7;
  static constexpr std::size_t kEdgeFields = 3;

  Json json_;
  Snapshot result_;
  std::vector<std::size_t> edge_counts_;
  const std::vector<Json>* flat_edges_ = nullptr;
};

}  // namespace

std::size_t Snapshot::total_size() const {
  std::size_t total = 0;
  for (const SnapshotNode& node : nodes) total += node.self_size;
  return total;
}

std::vector<std::size_t> Snapshot::Named(std::string_view name) const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].name == name) found.push_back(i);
  }
  return found;
}

std::size_t Snapshot::Count(std::size_t from, std::string_view name,
                            std::size_t to) const {
  const auto& edges = nodes[from].edges;
  return static_cast<std::size_t>(
      std::count_if(edges.begin(), edges.end(), [&](const SnapshotEdge& edge) {
        return edge.name == name && edge.to == to;
      }));
}

Snapshot ReadSnapshot(std::string_view text) { return Reader(text).Take(); }

}  // namespace acre_test
