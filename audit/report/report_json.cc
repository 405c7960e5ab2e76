// SPDX-License-Identifier: MIT
//
// The report as JSON lines.

#include "acre/audit_report.h"
#include "acre/baseline.h"
#include "finding_json.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

constexpr std::string_view kSchema = "acre.audit";
constexpr int kVersion = 1;

void WriteSteps(JsonWriter& json, const Finding& finding) {
  json.Key("steps");
  json.BeginArray();
  for (const PathStep& step : finding.steps) {
    json.BeginObject();
    json.Field("part", step.part);
    json.Field("type", step.type);
    json.Field("address", step.address);
    json.EndObject();
  }
  json.EndArray();
}

/// Begins a line; what kind of line it is stands first.
void BeginRecord(JsonWriter& json, std::string_view record) {
  json.BeginObject();
  json.Field("record", record);
}

void EndRecord(JsonWriter& json) {
  json.EndObject();
  json.EndLine();
}

void WriteHeader(JsonWriter& json, const AuditReport& report) {
  BeginRecord(json, "audit");
  json.Field("schema", kSchema);
  json.Field("version", kVersion);
  json.Field("arena", report.arena);
  WriteCountFields(json, report);
  json.Field("note", report.note);
  EndRecord(json);
}

void WriteSummary(JsonWriter& json, const AuditReport& report) {
  std::size_t blocks = 0;
  std::size_t bytes = 0;
  for (const Garbage& garbage : report.garbage) {
    blocks += garbage.blocks;
    bytes += garbage.bytes;
  }
  BeginRecord(json, "summary");
  json.Field("leaks", report.leaks());
  json.Field("findings", report.findings.size());
  json.Field("omitted", report.omitted);
  json.Field("known", report.known);
  json.Field("new", NewFindings(report));
  json.Field("garbage_blocks", blocks);
  json.Field("garbage_bytes", bytes);
  EndRecord(json);
}

}  // namespace

void WriteFindingFields(JsonWriter& json, const Finding& finding) {
  json.Field("identity", IdentityOf(finding));
  json.Field("path", finding.path);
  json.Field("field", finding.field);
  json.Field("kind", NameOf(finding.kind));
  json.Field("target", NameOf(finding.target));
  json.Field("certainty",
             finding.certainty == Certainty::kExact ? "exact" : "ambiguous");
  json.Field("is_leak", finding.is_leak());
  json.Field("is_known", finding.is_known);
  json.Field("slot", finding.slot);
  json.Field("address", finding.address);
  json.Field("type", finding.type);
  json.Field("what", finding.what);
  json.Field("hint", finding.hint);
  WriteSteps(json, finding);
}

void WriteCountFields(JsonWriter& json, const AuditReport& report) {
  json.Field("leaks", report.leaks());
  json.Field("findings", report.findings.size());
  json.Field("omitted", report.omitted);
  json.Field("reviewed", report.reviewed);
  json.Field("known", report.known);
  json.Field("objects", report.objects);
  json.Field("pointers", report.pointers);
  json.Field("words", report.words);
}

void WriteGarbageFields(JsonWriter& json, const Garbage& garbage) {
  json.Field("type", garbage.type);
  json.Field("blocks", garbage.blocks);
  json.Field("bytes", garbage.bytes);
}

}  // namespace detail

std::string ToJsonLines(const AuditReport& report) {
  std::string text;
  JsonWriter json(text, {.bytes = JsonBytes::kShow});
  detail::WriteHeader(json, report);
  for (const Finding& finding : report.findings) {
    detail::BeginRecord(json, "finding");
    detail::WriteFindingFields(json, finding);
    detail::EndRecord(json);
  }
  for (const Garbage& garbage : report.garbage) {
    detail::BeginRecord(json, "garbage");
    detail::WriteGarbageFields(json, garbage);
    detail::EndRecord(json);
  }
  detail::WriteSummary(json, report);
  json.Flush();
  return text;
}

}  // namespace acre::inline ACRE_ABI
