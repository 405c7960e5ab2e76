// SPDX-License-Identifier: MIT
//
// Findings and counts as JSON, in the words of the schema that
// <acre/audit_report.h> describes.

#ifndef ACRE_AUDIT_FINDING_JSON_H_
#define ACRE_AUDIT_FINDING_JSON_H_

#include "acre/audit.h"
#include "acre/config.h"
#include "acre/json_writer.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// The keys of one finding, inside an object that the caller has begun.
void WriteFindingFields(JsonWriter& json, const Finding& finding);

/// The same for what the report has counted.
void WriteCountFields(JsonWriter& json, const AuditReport& report);

/// The same for garbage of one type.
void WriteGarbageFields(JsonWriter& json, const Garbage& garbage);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_FINDING_JSON_H_
