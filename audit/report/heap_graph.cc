// SPDX-License-Identifier: MIT

#include "heap_graph.h"

#include <fmt/format.h>

#include <algorithm>

#include "acre/detail/block_walk.h"
#include "acre/detail/gc_query.h"
#include "acre/detail/location.h"
#include "acre/detail/path.h"
#include "memory_map.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

constexpr std::size_t kRootNode = 0;
constexpr std::size_t kGcRootsNode = 1;

GraphNode NodeOf(const BlockView& block) {
  GraphNode node;
  node.kind = block.is_storage        ? NodeKind::kStorage
              : block.type == nullptr ? NodeKind::kRaw
                                      : NodeKind::kObject;
  node.begin = block.begin;
  node.bytes = block.bytes;
  node.type = block.type;
  return node;
}

}  // namespace

HeapGraph::HeapGraph(const Arena& arena, std::span<const AuditRoot> roots,
                     const AuditReport& report)
    : arena_(arena), roots_(roots), classifier_(arena) {
  for (const Finding& finding : report.findings) findings_.push_back(&finding);
  std::stable_sort(
      findings_.begin(), findings_.end(),
      [](const Finding* a, const Finding* b) { return a->slot < b->slot; });
  nodes_.resize(2);
  nodes_[kRootNode].kind = NodeKind::kRoot;
  nodes_[kGcRootsNode].kind = NodeKind::kGcRoots;
  AddBlocks();
  AddTargets();
  AddRounding();
  FindHandles();
  AddCollected();
  FindTops();
  CountEdges();
}

// -------------------------------------------------------------------- nodes

void HeapGraph::AddBlocks() {
  for (const AuditRoot& root : roots_) {
    if (classifier_.IsOwn(root.object)) continue;
    GraphNode node;
    node.kind = NodeKind::kOutside;
    node.type = root.type;
    node.begin = static_cast<const char*>(root.object);
    nodes_.push_back(node);
  }
  first_block_ = nodes_.size();
  BlockWalk walk(arena_);
  for (BlockView block; walk.Next(&block);) {
    if (!block.is_freed) nodes_.push_back(NodeOf(block));
  }
  if (!kChecked) {
    arena_.ForEachChunk([this](const ChunkInfo& chunk) {
      if (chunk.used == 0) return;
      GraphNode node;
      node.kind = NodeKind::kChunk;
      node.begin = reinterpret_cast<const char*>(chunk.begin);
      node.bytes = chunk.used;
      nodes_.push_back(node);
    });
  }
  end_block_ = nodes_.size();
  std::sort(
      nodes_.begin() + static_cast<std::ptrdiff_t>(first_block_), nodes_.end(),
      [](const GraphNode& a, const GraphNode& b) { return a.begin < b.begin; });
  for (std::size_t i = first_block_; i < end_block_; ++i) {
    starts_.push_back(nodes_[i].begin);
  }
}

void HeapGraph::AddTargets() {
  for (const Finding* finding : findings_) {
    if (TargetNode(finding->target) != kNone) continue;
    GraphNode node;
    node.kind = NodeKind::kTarget;
    node.target = finding->target;
    nodes_.push_back(node);
  }
}

/// Blocks are as large as was asked for; the arena gives somewhat more.
void HeapGraph::AddRounding() {
  if (!kChecked) return;
  std::size_t bytes = 0;
  for (const GraphNode& node : nodes_) bytes += node.bytes;
  const std::size_t live = arena_.stats().live();
  if (live <= bytes) return;
  rounding_ = nodes_.size();
  GraphNode node;
  node.kind = NodeKind::kRounding;
  node.bytes = live - bytes;
  nodes_.push_back(node);
}

/// Only its handle knows which parts of a storage are elements. Handles may lie
/// in storages themselves.
void HeapGraph::FindHandles() {
  if (!kChecked) return;
  std::vector<std::size_t> found;
  const auto note = [&](const Slot& slot, const GraphEdge&) {
    NoteHandle(slot, found);
  };
  for (std::size_t i = kGcRootsNode + 1; i < end_block_; ++i) {
    if (nodes_[i].kind == NodeKind::kStorage) continue;
    ForEachSlotOf(nodes_[i], note);
    while (!found.empty()) {
      const std::size_t storage = found.back();
      found.pop_back();
      ForEachSlotOf(nodes_[storage], note);
    }
  }
}

void HeapGraph::NoteHandle(const Slot& slot, std::vector<std::size_t>& found) {
  if (slot.type->kind != TypeKind::kHandle) return;
  const HandleStorage storage = slot.type->ops->storage(slot.address);
  if (storage.block == nullptr) return;
  const std::size_t number = NodeAt(storage.block);
  if (number == kNone) return;
  GraphNode& node = nodes_[number];
  const TypeLayout& element = *slot.type->element();
  if (node.begin != storage.block || node.handle != nullptr ||
      classifier_.ClassifyStorage(storage, element)) {
    return;
  }
  node.handle = slot.address;
  node.handle_type = slot.type;
  if (element.name == "char") node.kind = NodeKind::kText;
  found.push_back(number);
}

/// Storages are gone through by their handles, which must be known.
void HeapGraph::AddCollected() {
  struct Link {
    const char* begin;  // of the object
    std::size_t bytes;
    const void* slot;
    const TypeLayout* type;
  };
  std::vector<Link> links;
  for (std::size_t i = kGcRootsNode + 1; i < end_block_; ++i) {
    ForEachSlotOf(nodes_[i], [&](const Slot& slot, const GraphEdge&) {
      const char* const begin = CollectedAt(slot);
      if (begin == nullptr) return;
      // While this frame keeps it: only a weak reference may lead to it.
      const std::size_t bytes = CollectedSize(begin);
      links.push_back({begin, bytes, slot.address, slot.type});
    });
  }
  std::stable_sort(
      links.begin(), links.end(),
      [](const Link& a, const Link& b) { return a.begin < b.begin; });
  const std::size_t first = nodes_.size();
  for (const Link& link : links) {
    if (nodes_.size() == first || nodes_.back().begin != link.begin) {
      GraphNode node;
      node.kind = NodeKind::kCollected;
      node.begin = link.begin;
      node.bytes = link.bytes;
      node.handle_type = link.type;
      nodes_.push_back(node);
    }
    to_collected_.emplace_back(link.slot, nodes_.size() - 1);
  }
  std::sort(to_collected_.begin(), to_collected_.end());
}

// -------------------------------------------------------------------- edges

void HeapGraph::ForEachSlotOf(
    const GraphNode& node,
    const std::function<void(const Slot&, GraphEdge)>& visit) {
  const auto visit_run = [&](const TypeLayout& type, ElementRun run,
                             GraphEdge edge) {
    if (!type.has_slots) return;
    edge.type = &type;
    edge.element = static_cast<const char*>(run.data);
    edge.is_row = !edge.is_entry && (node.handle != nullptr || run.count > 1);
    auto visit_slot = [&](const Slot& slot) {
      edge.slot = slot.address;
      visit(slot, edge);
    };
    for (std::size_t i = 0; i < run.count; ++i, edge.element += type.size) {
      ForEachSlotIn(type, {edge.element, 1}, visit_slot);
      ++edge.index;
    }
  };
  if (node.kind == NodeKind::kObject || node.kind == NodeKind::kOutside) {
    const std::size_t count =
        node.kind == NodeKind::kOutside ? 1 : node.bytes / node.type->size;
    visit_run(*node.type, {node.begin, count}, {});
  } else if (node.handle != nullptr) {
    const TypeLayout& element = *node.handle_type->element();
    if (!element.has_slots) return;
    GraphEdge edge;
    edge.is_entry = IsTable(*node.handle_type);
    ForEachRun(*node.handle_type, node.handle,
               [&](ElementRun run, std::size_t ordinal) {
                 if (edge.is_entry) edge.index = ordinal;
                 visit_run(element, run, edge);
                 if (!edge.is_entry) edge.index += run.count;
               });
  }
}

void HeapGraph::VisitSlot(const Slot& slot, GraphEdge edge,
                          const VisitEdge& visit) {
  const bool is_handle = slot.type->kind == TypeKind::kHandle;
  const void* address = is_handle ? slot.type->ops->storage(slot.address).block
                                  : PointedTo(slot).data;
  // A reference has no storage, but may lead somewhere.
  const bool is_ref = is_handle && IsRef(*slot.type);
  if ((address == nullptr && !is_ref) || IsFinding(slot.address)) return;
  edge.to = address == nullptr ? kNone : NodeAt(address);
  if (edge.to == kNone) {
    edge.to = CollectedNode(slot.address);
    edge.is_weak = is_ref && slot.type->ops->form == HandleForm::kWeakRef;
  }
  if (edge.to != kNone) visit(edge);
}

void HeapGraph::VisitFindings(const GraphNode& node, const VisitEdge& visit) {
  auto at =
      std::lower_bound(findings_.begin(), findings_.end(), node.begin,
                       [](const Finding* finding, const char* begin) {
                         return static_cast<const char*>(finding->slot) < begin;
                       });
  for (; at != findings_.end(); ++at) {
    if (static_cast<const char*>((*at)->slot) >= node.begin + node.bytes)
      return;
    GraphEdge edge;
    edge.to = TargetNode((*at)->target);
    edge.finding = *at;
    visit(edge);
  }
}

/// Findings in no block that is known hang from the root, too.
void HeapGraph::VisitTops(const VisitEdge& visit) {
  GraphEdge edge;
  const auto visit_next = [&](std::size_t to) {
    ++edge.index;
    edge.to = to;
    visit(edge);
  };
  visit_next(kGcRootsNode);
  for (const std::size_t top : tops_) visit_next(top);
  for (const Finding* finding : findings_) {
    if (NodeAt(finding->slot) != kNone) continue;
    GraphEdge stray;
    stray.to = TargetNode(finding->target);
    stray.finding = finding;
    visit(stray);
  }
}

void HeapGraph::ForEachEdge(std::size_t number, const VisitEdge& visit) {
  if (number == kRootNode) return VisitTops(visit);
  if (number == kGcRootsNode && rounding_ != kNone) {
    GraphEdge edge;
    edge.to = rounding_;
    edge.index = 1;
    return visit(edge);
  }
  const GraphNode& node = nodes_[number];
  if (node.begin == nullptr || node.kind == NodeKind::kCollected) return;
  ForEachSlotOf(node, [&](const Slot& slot, const GraphEdge& edge) {
    VisitSlot(slot, edge, visit);
  });
  VisitFindings(node, visit);
}

void HeapGraph::CountEdges() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    ForEachEdge(i, [&](const GraphEdge&) { ++nodes_[i].edges; });
    edge_count_ += nodes_[i].edges;
  }
}

// -------------------------------------------------------- what hangs from the
// root

void HeapGraph::FindTops() {
  std::vector<bool> reached(nodes_.size(), false);
  reached[kRootNode] = reached[kGcRootsNode] = true;
  for (std::size_t i = kGcRootsNode + 1; i < first_block_; ++i) {
    AddTop(i, reached);
  }
  for (const AuditRoot& root : roots_) {
    const std::size_t number = NodeAt(root.object);
    if (number != kNone) AddTop(number, reached);
  }
  std::vector<bool> is_led_to(nodes_.size(), false);
  for (std::size_t i = first_block_; i < end_block_; ++i) {
    ForEachEdge(i, [&](const GraphEdge& edge) {
      if (edge.to != i) is_led_to[edge.to] = true;
    });
  }
  for (const bool circles : {false, true}) {
    for (std::size_t i = first_block_; i < end_block_; ++i) {
      if (circles || !is_led_to[i]) AddTop(i, reached);
    }
  }
}

/// Marks what the node leads to.
void HeapGraph::AddTop(std::size_t number, std::vector<bool>& reached) {
  if (reached[number]) return;
  reached[number] = true;
  tops_.push_back(number);
  std::vector<std::size_t> open{number};
  while (!open.empty()) {
    const std::size_t from = open.back();
    open.pop_back();
    ForEachEdge(from, [&](const GraphEdge& edge) {
      if (reached[edge.to]) return;
      reached[edge.to] = true;
      open.push_back(edge.to);
    });
  }
}

// ------------------------------------------------------------------ look-ups

std::size_t HeapGraph::NodeAt(const void* address) const {
  const auto* at = static_cast<const char*>(address);
  const auto behind = std::upper_bound(starts_.begin(), starts_.end(), at);
  if (behind == starts_.begin()) return kNone;
  const std::size_t number =
      first_block_ + static_cast<std::size_t>(behind - starts_.begin()) - 1;
  const GraphNode& node = nodes_[number];
  const bool is_inside = at < node.begin + std::max<std::size_t>(node.bytes, 1);
  return is_inside ? number : kNone;
}

std::size_t HeapGraph::TargetNode(Target target) const {
  for (std::size_t i = end_block_; i < nodes_.size(); ++i) {
    if (nodes_[i].kind == NodeKind::kTarget && nodes_[i].target == target) {
      return i;
    }
  }
  return kNone;
}

const char* HeapGraph::CollectedAt(const Slot& slot) {
  const void* address = nullptr;
  if (slot.type->kind != TypeKind::kHandle) {
    address = PointedTo(slot).data;
  } else if (IsRef(*slot.type)) {
    address = RefTarget(*slot.type, slot.address);
  }
  if (address == nullptr || classifier_.IsOwn(address) ||
      IsFinding(slot.address)) {
    return nullptr;
  }
  return static_cast<const char*>(CollectedBase(address));
}

std::size_t HeapGraph::CollectedNode(const void* slot) const {
  const auto at = std::lower_bound(
      to_collected_.begin(), to_collected_.end(), slot,
      [](const auto& link, const void* p) { return link.first < p; });
  const bool is_known = at != to_collected_.end() && at->first == slot;
  return is_known ? at->second : kNone;
}

bool HeapGraph::IsFinding(const void* slot) const {
  const auto at = std::lower_bound(
      findings_.begin(), findings_.end(), slot,
      [](const Finding* finding, const void* p) { return finding->slot < p; });
  return at != findings_.end() && (*at)->slot == slot;
}

// --------------------------------------------------------------------- names

namespace {

/// By the type of what led there: the collector knows none.
std::string CollectedName(const GraphNode& node) {
  if (const Arena* const arena = ArenaOf(node.begin)) {
    return fmt::format("chunk of arena '{}'", arena->name());
  }
  const TypeLayout& type = *node.handle_type;
  std::string_view name = type.name;
  if (type.kind != TypeKind::kHandle) {
    name = type.element() == nullptr ? "" : type.element()->name;
  } else if (const std::size_t begin = name.find('<');
             begin != std::string_view::npos) {
    name = name.substr(begin + 1, name.rfind('>') - begin - 1);
  }
  return (name.empty() ? "object" : TypeText(name)) + " (collected)";
}

}  // namespace

std::string NameOf(const GraphNode& node) {
  switch (node.kind) {
    case NodeKind::kRoot:
      return "";
    case NodeKind::kGcRoots:
      return "(GC roots)";
    case NodeKind::kOutside:
      return TypeText(node.type->name) + " (outside the arena)";
    case NodeKind::kObject:
      return TypeText(node.type->name) +
             (node.bytes > node.type->size ? "[]" : "");
    case NodeKind::kText:
      return KeyText(*node.handle_type, node.handle, 0);
    case NodeKind::kStorage:
    case NodeKind::kRaw:
      return BlockTypeText(node.type, node.kind == NodeKind::kStorage);
    case NodeKind::kChunk:
      return "chunk";
    case NodeKind::kTarget:
      return std::string(NameOf(node.target));
    case NodeKind::kRounding:
      return "(rounding, and the arena's own)";
    case NodeKind::kCollected:
      return CollectedName(node);
  }
  return "?";
}

namespace {

/// A table's entry is named by its key; the value is what the name means.
std::string EntryName(const GraphEdge& edge, std::string field,
                      bool with_index) {
  constexpr std::string_view kKey = ".first";
  constexpr std::string_view kValue = ".second";
  const TypeLayout& entry = *edge.type;
  const bool is_pair = entry.fields.size() == 2 && entry.fields[0].name == kKey;
  const bool is_key = !is_pair || field.starts_with(kKey);
  if (is_pair) field.erase(0, is_key ? kKey.size() : kValue.size());
  std::string key;
  if (with_index) {
    key = KeyText(is_pair ? *entry.fields[0].type() : entry, edge.element,
                  edge.index);
  }
  return fmt::format("{}{}{}{}", is_key ? '{' : '[', key, is_key ? '}' : ']',
                     field);
}

}  // namespace

std::string NameOf(const GraphEdge& edge, bool with_index) {
  if (edge.finding != nullptr) return edge.finding->path;
  if (edge.type == nullptr) return {};
  std::string field = PathInside(*edge.type, edge.element, edge.slot);
  if (edge.is_entry) return EntryName(edge, std::move(field), with_index);
  if (!edge.is_row || field.empty()) return field;
  return with_index ? fmt::format("[{}]{}", edge.index, field) : field;
}

}  // namespace acre::inline ACRE_ABI::detail
