// SPDX-License-Identifier: MIT
//
// HeapGraph: an arena's blocks as nodes, its pointers as edges, findings as
// edges to where they lead. Remembers nodes only, and what leads out to the
// collector; other edges are read from the blocks whenever they are asked for,
// always in the same order.
//
//   number  node
//   0       the root: leads to everything that nothing else leads to
//   1       "(GC roots)", where DevTools starts to count distances
//   ...     roots that lie outside the arena
//   ...     blocks by address (release builds: chunks)
//   ...     one for each target of a finding
//   ...     what rounding takes, where that is anything
//   ...     objects of the collector, by address: what GcRefs and pointers of
//           traced arenas lead to

#ifndef ACRE_AUDIT_HEAP_GRAPH_H_
#define ACRE_AUDIT_HEAP_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "acre/audit.h"
#include "acre/config.h"
#include "acre/detail/walk.h"
#include "acre/type_layout.h"
#include "classify.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

enum class NodeKind : std::uint8_t {
  kRoot,
  kGcRoots,
  kOutside,  // a root that lies outside the arena
  kObject,
  kStorage,
  kText,  // the storage of a String
  kRaw,
  kChunk,
  kTarget,
  kRounding,
  kCollected,
};

struct GraphNode {
  NodeKind kind = NodeKind::kRaw;
  Target target = Target::kUnknown;         // of kTarget
  const char* begin = nullptr;              // null: no memory of its own
  std::size_t bytes = 0;                    // that is given for it
  const TypeLayout* type = nullptr;         // of an object, or of elements
  const TypeLayout* handle_type = nullptr;  // of a storage that was met; of
                                            // what led to a kCollected first
  const void* handle = nullptr;             // the first one met, of that type
  std::size_t edges = 0;                    // number of edges that leave it
};

/// One edge that leaves a node.
struct GraphEdge {
  std::size_t to = 0;
  std::size_t index = 0;             // of the element, entry or root
  const Finding* finding = nullptr;  // the edge is one
  const TypeLayout* type = nullptr;  // of the element; null: it is no pointer's
  const char* element = nullptr;     // holds the slot
  const void* slot = nullptr;
  bool is_entry = false;  // the element is one of a Map or Set
  bool is_row = false;    // the element is one of several in a row
  bool is_weak = false;   // of a GcWeakRef
};

class HeapGraph {
 public:
  /// Borrows all of them; the arena must not be changed.
  HeapGraph(const Arena& arena, std::span<const AuditRoot> roots,
            const AuditReport& report);

  const std::vector<GraphNode>& nodes() const { return nodes_; }
  std::size_t edge_count() const { return edge_count_; }

  using VisitEdge = std::function<void(const GraphEdge&)>;
  /// As many edges as nodes()[number].edges.
  void ForEachEdge(std::size_t number, const VisitEdge& visit);

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  // Nodes.
  void AddBlocks();
  void AddTargets();
  void AddRounding();
  void FindHandles();
  void NoteHandle(const Slot& slot, std::vector<std::size_t>& found);
  void AddCollected();

  // Edges.
  void ForEachSlotOf(const GraphNode& node,
                     const std::function<void(const Slot&, GraphEdge)>& visit);
  void VisitSlot(const Slot& slot, GraphEdge edge, const VisitEdge& visit);
  void VisitFindings(const GraphNode& node, const VisitEdge& visit);
  void VisitTops(const VisitEdge& visit);
  void CountEdges();

  // What hangs from the root.
  void FindTops();
  void AddTop(std::size_t number, std::vector<bool>& reached);

  std::size_t NodeAt(const void* address) const;  // kNone: in no block
  std::size_t TargetNode(Target target) const;
  const char* CollectedAt(const Slot& slot);  // null: the slot leads to none
  std::size_t CollectedNode(const void* slot) const;
  bool IsFinding(const void* slot) const;

  const Arena& arena_;
  std::span<const AuditRoot> roots_;
  Classifier classifier_;
  std::vector<const Finding*> findings_;  // by slot
  std::vector<GraphNode> nodes_;
  std::vector<const char*> starts_;  // of blocks: searched for every pointer
  std::size_t first_block_ = 0;  // blocks are nodes_[first_block_, end_block_)
  std::size_t end_block_ = 0;
  std::vector<std::size_t> tops_;  // nodes that the root leads to
  std::size_t rounding_ = kNone;
  // Where slots lead that lead to objects of the collector, by slot. As it was
  // once: weak references may become null at any moment.
  std::vector<std::pair<const void*, std::size_t>> to_collected_;
  std::size_t edge_count_ = 0;
};

/// What a node is called; for a text, how it begins.
std::string NameOf(const GraphNode& node);

/// ".target", "[12].target", "[\"MAP07\"]"; of a finding the whole path. Empty
/// where the edge has nothing but its index. `with_index` false: without what
/// tells elements and entries of one container apart.
std::string NameOf(const GraphEdge& edge, bool with_index);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_HEAP_GRAPH_H_
