// SPDX-License-Identifier: MIT

#include "acre/baseline.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <set>

#include "baseline.h"

namespace acre::inline ACRE_ABI {
namespace {

using Identities = std::set<std::string, std::less<>>;

constinit std::mutex g_lock;                   // guards what follows
std::optional<Identities>* g_known = nullptr;  // null: nothing decided yet

/// What the file lists; nothing where it cannot be read: errno says why.
std::optional<Identities> Read(const char* path) {
  std::FILE* file = std::fopen(path, "r");
  if (file == nullptr) return std::nullopt;
  std::string text;
  char buffer[4096];
  errno = 0;
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) != 0;) {
    text.append(buffer, n);
  }
  const int error = std::ferror(file) != 0 ? errno : 0;
  std::fclose(file);
  if (error != 0) {
    errno = error;
    return std::nullopt;
  }
  Identities known;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) {
      line.pop_back();
    }
    if (!line.empty() && line[0] != '#') known.insert(std::move(line));
    at = end + 1;
  }
  return known;
}

std::string Unreadable(const char* path) {
  return fmt::format("cannot read the baseline '{}': {}", path,
                     std::strerror(errno));
}

/// Requires g_lock.
std::optional<Identities>& Known() {
  if (g_known != nullptr) return *g_known;
  g_known = new std::optional<Identities>;
  const char* path = std::getenv("ACRE_AUDIT_BASELINE");
  if (path == nullptr || path[0] == '\0') return *g_known;
  *g_known = Read(path);
  if (!*g_known) {
    fmt::print(stderr, "acre: ACRE_AUDIT_BASELINE: {}\n", Unreadable(path));
  }
  return *g_known;
}

}  // namespace

namespace detail {

void ApplyBaseline(AuditReport& report) {
  const std::lock_guard<std::mutex> hold(g_lock);
  const std::optional<Identities>& known = Known();
  report.known = 0;
  if (!known) return;
  for (Finding& finding : report.findings) {
    finding.is_known = known->contains(IdentityOf(finding));
    report.known += finding.is_known;
  }
}

}  // namespace detail

std::string ToBaseline(const AuditReport& report) {
  Identities identities;
  for (const Finding& finding : report.findings) {
    identities.insert(IdentityOf(finding));
  }
  std::string text =
      fmt::format("# known findings in arena '{}'\n", report.arena);
  for (const std::string& identity : identities) text += identity + "\n";
  return text;
}

bool LoadBaseline(const char* path, std::string* error) {
  std::optional<Identities> known = Read(path);
  if (!known) {
    *error = Unreadable(path);
    return false;
  }
  const std::lock_guard<std::mutex> hold(g_lock);
  Known() = std::move(known);
  return true;
}

void ClearBaseline() {
  const std::lock_guard<std::mutex> hold(g_lock);
  Known().reset();
}

std::size_t NewFindings(const AuditReport& report) noexcept {
  return report.findings.size() - report.known + report.omitted;
}

int ExitStatus(const AuditReport& report) noexcept {
  return NewFindings(report) == 0 ? 0 : 1;
}

}  // namespace acre::inline ACRE_ABI
