// SPDX-License-Identifier: MIT
//
// The report as one HTML page: fixed markup, style and scripts around the data,
// which is JSON that no browser can take for markup.

#include "acre/audit_report.h"
#include "file_writer.h"
#include "finding_json.h"
#include "memory_map.h"
#include "page.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

class PageWriter {
 public:
  PageWriter(std::FILE* file, const Arena& arena, const AuditReport& report)
      : arena_(arena),
        report_(report),
        map_(MapMemory(arena)),
        out_(file),
        json_(out_.text(), {.bytes = JsonBytes::kShow, .in_script = true}) {}

  bool Write() {
    Add({PageHead(), "<title>Audit</title>\n<style>", PageStyle(),
         "</style>\n</head>\n<body>", PageBody()});
    Add({"<script type=\"application/json\" id=\"audit-data\">"});
    WriteData();
    Add({"</script>\n<script>", PageScript(), FindingsScript(), MemoryScript(),
         "</script>\n</body>\n</html>\n"});
    return out_.Finish();
  }

 private:
  void Add(std::initializer_list<std::string_view> texts) {
    for (const std::string_view text : texts) out_.text() += text;
  }

  void WriteData() {
    json_.BeginObject();
    json_.Field("arena", report_.arena);
    json_.Field("checked", kChecked);
    json_.Field("note", report_.note);
    WriteCountFields(json_, report_);
    WriteStats();
    json_.Key("listed");
    WriteFindings();
    WriteGarbage();
    WriteTypes();
    WriteChunks();
    json_.EndObject();
    json_.Flush();
  }

  void WriteStats() {
    const ArenaStats stats = arena_.stats();
    json_.Key("stats");
    json_.BeginObject();
    json_.Field("chunks", stats.chunks);
    json_.Field("large_blocks", stats.large_blocks);
    json_.Field("reserved", stats.reserved);
    json_.Field("freed", stats.freed);
    json_.Field("live", stats.live());
    json_.EndObject();
  }

  void WriteFindings() {
    json_.BeginArray();
    for (const Finding& finding : report_.findings) {
      json_.BeginObject();
      WriteFindingFields(json_, finding);
      WritePlace(FindPlace(map_, finding.slot));
      json_.EndObject();
      out_.FlushIfFull();
    }
    json_.EndArray();
  }

  void WritePlace(std::optional<MapPlace> place) {
    json_.Key("at");
    if (!place) return json_.Null();
    json_.BeginArray();
    json_.Value(place->chunk);
    json_.Value(place->cell);
    json_.EndArray();
  }

  void WriteGarbage() {
    json_.Key("garbage");
    json_.BeginArray();
    for (const Garbage& garbage : report_.garbage) {
      json_.BeginObject();
      WriteGarbageFields(json_, garbage);
      json_.EndObject();
    }
    json_.EndArray();
  }

  void WriteTypes() {
    json_.Key("types");
    json_.BeginArray();
    for (const TypeUse& type : map_.types) {
      json_.BeginObject();
      json_.Field("name", type.name);
      json_.Field("blocks", type.blocks);
      json_.Field("bytes", type.bytes);
      json_.EndObject();
      out_.FlushIfFull();
    }
    json_.EndArray();
  }

  void WriteChunks() {
    json_.Field("cell_bytes", map_.cell_bytes);
    json_.Key("chunks");
    json_.BeginArray();
    for (const MapChunk& chunk : map_.chunks) {
      json_.BeginObject();
      json_.Field("address", static_cast<const void*>(chunk.begin()));
      json_.Field("capacity", chunk.info.capacity);
      json_.Field("used", chunk.info.used);
      json_.Field("is_large", chunk.info.is_large);
      json_.Field("is_spare", chunk.info.is_spare);
      json_.Key("cells");
      WriteCells(chunk);
      json_.EndObject();
    }
    json_.EndArray();
  }

  /// Equal cells in a row are written once: a large block makes many.
  void WriteCells(const MapChunk& chunk) {
    json_.BeginArray();
    for (std::size_t i = 0; i < chunk.cells.size();) {
      std::size_t end = i + 1;
      while (end < chunk.cells.size() && chunk.cells[end] == chunk.cells[i]) {
        ++end;
      }
      WriteRun(chunk, chunk.cells[i], end - i);
      i = end;
      out_.FlushIfFull();
    }
    json_.EndArray();
  }

  void WriteRun(const MapChunk& chunk, const MapCell& cell, std::size_t count) {
    json_.BeginArray();
    json_.Value(count);
    json_.Value(cell.type == MapCell::kNoType
                    ? std::int64_t{-1}
                    : static_cast<std::int64_t>(cell.type));
    json_.Value(cell.blocks);
    json_.Value(cell.live_bytes);
    json_.Value(cell.freed_bytes);
    json_.Value(cell.block == nullptr
                    ? std::int64_t{0}
                    : static_cast<std::int64_t>(cell.block - chunk.begin()));
    json_.Value(cell.block_bytes);
    json_.EndArray();
  }

  const Arena& arena_;
  const AuditReport& report_;
  const MemoryMap map_;
  FileWriter out_;
  JsonWriter json_;
};

}  // namespace
}  // namespace detail

bool WriteHtml(std::FILE* file, const Arena& arena, const AuditReport& report) {
  return detail::PageWriter(file, arena, report).Write();
}

}  // namespace acre::inline ACRE_ABI
