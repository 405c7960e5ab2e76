// SPDX-License-Identifier: MIT
//
// What audits that run by themselves say while an object lives.

#ifndef ACRE_TESTS_UNIT_REPORTS_H_
#define ACRE_TESTS_UNIT_REPORTS_H_

#include <vector>

#include "acre/audit_policy.h"

namespace acre_test {

/// Catches the reports of a scope.
class Reports {
 public:
  Reports() : before_(acre::SetAuditReporter(&Catch)) {
    acre::FlushAudits();
    all().clear();
  }
  Reports(const Reports&) = delete;
  Reports& operator=(const Reports&) = delete;
  ~Reports() { acre::SetAuditReporter(before_); }

  /// All findings so far.
  static std::vector<acre::Finding> findings() {
    std::vector<acre::Finding> found;
    for (const acre::AuditReport& report : all()) {
      found.insert(found.end(), report.findings.begin(), report.findings.end());
    }
    return found;
  }

  static std::vector<acre::AuditReport>& all() {
    static std::vector<acre::AuditReport> reports;
    return reports;
  }

 private:
  static void Catch(const acre::AuditReport& report) {
    all().push_back(report);
  }

  acre::AuditReporter before_;
};

}  // namespace acre_test

#endif  // ACRE_TESTS_UNIT_REPORTS_H_
