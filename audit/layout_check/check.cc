// SPDX-License-Identifier: MIT

#include "check.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "debug_file.h"
#include "debug_info.h"
#include "image.h"
#include "layouts.h"
#include "pointers.h"

namespace layout_check {
namespace {

// clang leaves out a class whose constructors are compiled elsewhere, unless
// told otherwise.
constexpr std::string_view kUndefined =
    "which the debug information does not define (clang: -fstandalone-debug)";

bool Contains(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

class Checker {
 public:
  Checker(const DebugInfo& info, const std::vector<Layout>& layouts,
          const std::vector<std::string>& ignored)
      : info_(info), layouts_(layouts), ignored_(ignored) {}

  CheckResult Run() {
    for (const Layout& layout : layouts_) {
      if (!layout.is_struct() || layout.is_refused || IsIgnored(layout)) {
        continue;
      }
      CheckLayout(layout, [&](Die definition) {
        return CompareStruct(info_, layouts_, layout, definition);
      });
    }
    CheckPlain();
    return std::move(result_);
  }

 private:
  bool IsIgnored(const Layout& layout) {
    if (!Contains(ignored_, layout.name)) return false;
    if (!Contains(result_.ignored, layout.name)) {
      result_.ignored.push_back(layout.name);
    }
    return true;
  }

  /// A type, and what was found where it is defined.
  struct Compared {
    std::vector<Die> definitions;
    std::vector<Comparison> comparisons;
    std::size_t findings = 0;
  };

  /// Of several types that the layout may be of, it is of the one that it fits.
  template <class Compare>
  void CheckLayout(const Layout& layout, const Compare& compare) {
    Compared best;
    for (const Die& type : layout.types) {
      for (auto& definitions : info_.DefinitionsOf(type)) {
        Compared compared;
        compared.definitions = std::move(definitions);
        for (const Die& definition : compared.definitions) {
          compared.comparisons.push_back(compare(definition));
          compared.findings += compared.comparisons.back().findings.size();
        }
        if (best.definitions.empty() || compared.findings < best.findings) {
          best = std::move(compared);
        }
      }
    }
    if (best.definitions.empty()) {
      result_.unchecked.push_back(
          fmt::format("{}, {}", layout.name, kUndefined));
      return;
    }
    for (Comparison& comparison : best.comparisons) {
      for (Finding& finding : comparison.findings) Add(std::move(finding));
      for (const std::string& name : comparison.undefined) {
        AddUndefined(layout, name);
      }
    }
    result_.checked.push_back({layout.name, layout.size, layout.fields.size(),
                               best.definitions.size(),
                               PlaceOf(best.definitions.front())});
  }

  // Each source file that includes a type says the same of it.
  void Add(Finding finding) {
    const std::vector<std::string>& holders = finding.holders;
    for (const std::string& ignored : ignored_) {
      if (!Contains(holders, ignored)) continue;
      if (!Contains(result_.ignored, ignored)) {
        result_.ignored.push_back(ignored);
      }
      return;
    }
    told_of_.insert(holders.begin(), holders.end());
    if (!said_
             .insert({finding.kind, finding.type, finding.field,
                      finding.compiler, finding.place.file, finding.place.line})
             .second) {
      return;
    }
    result_.findings.push_back(std::move(finding));
  }

  void AddUndefined(const Layout& layout, const std::string& name) {
    std::string text =
        fmt::format("{}: it holds {}, {}", layout.name, name, kUndefined);
    if (!Contains(result_.unchecked, text)) {
      result_.unchecked.push_back(std::move(text));
    }
  }

  /// Plain data that lies in no registered struct: elements of containers,
  /// pointees. What was told with the path from a struct is not told again;
  /// small types come first, so that it is told of the innermost.
  void CheckPlain() {
    std::vector<const Layout*> plain;
    for (const Layout& layout : layouts_) {
      if (layout.is_plain() && !layout.is_refused && !layout.types.empty() &&
          IsClass(Peel(layout.types.front())) &&
          !IsEmpty(info_, layout.types.front()) && !IsIgnored(layout)) {
        plain.push_back(&layout);
      }
    }
    std::stable_sort(
        plain.begin(), plain.end(),
        [](const Layout* a, const Layout* b) { return a->size < b->size; });
    for (const Layout* layout : plain) {
      before_ = told_of_;
      CheckLayout(*layout, [&](Die definition) {
        Comparison comparison = ComparePlain(info_, *layout, definition);
        std::erase_if(comparison.findings, [&](const Finding& finding) {
          return std::any_of(
              finding.holders.begin(), finding.holders.end(),
              [&](const auto& name) { return before_.count(name) != 0; });
        });
        return comparison;
      });
    }
  }

  using Said = std::tuple<std::string, std::string, std::string, std::string,
                          std::string, int>;

  const DebugInfo& info_;
  const std::vector<Layout>& layouts_;
  const std::vector<std::string>& ignored_;
  CheckResult result_;
  std::set<Said> said_;
  std::set<std::string> told_of_;  // classes in which pointers were found
  std::set<std::string> before_;   // told_of_ before the type at hand
};

}  // namespace

CheckResult Check(const std::string& path, const CheckOptions& options) {
  CheckResult result;
  const std::unique_ptr<Image> image = Image::Open(path, &result.error);
  if (image == nullptr) return result;
  const std::unique_ptr<DebugFile> file =
      DebugFile::Find(path, options.debug_directory, &result.error);
  if (file == nullptr) return result;
  // A stripped program has its names there too.
  image->ReadSymbols(file->elf());
  const std::unique_ptr<DebugInfo> info = DebugInfo::Read(*file, &result.error);
  if (info == nullptr) return result;
  const std::vector<Layout> layouts = ReadLayouts(*image, *info, &result.error);
  if (!result.error.empty()) return result;
  result = Checker(*info, layouts, options.ignored).Run();
  if (result.checked.empty() && result.unchecked.empty() &&
      result.ignored.empty()) {
    result.error = "no layouts of structs: nothing in it is registered";
  }
  return result;
}

}  // namespace layout_check
