// SPDX-License-Identifier: MIT

#include "layouts.h"

#include <dwarf.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

namespace layout_check {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);

/// Pointer and count: a std::string_view or std::span in the program.
struct Run {
  std::uint64_t data = 0;
  std::uint64_t count = 0;
};

/// How a struct of acre lies in memory: a reader of its members.
class Record {
 public:
  Record(const Image& image, const DebugInfo& info, Die type)
      : image_(image), info_(info), size_(info.SizeOf(type)) {
    for (const Member& member : MembersOf(type)) {
      members_.emplace(member.name, ReadPart(member));
    }
  }

  std::uint64_t size() const { return size_; }
  bool Has(std::string_view member) const {
    return members_.find(member) != members_.end();
  }

  std::optional<std::uint64_t> Number(std::uint64_t object,
                                      std::string_view member) const {
    const Part& part = members_.find(member)->second;
    return image_.Number(object + part.offset, part.size);
  }

  /// The name of an enumerator.
  std::optional<std::string> Enumerator(std::uint64_t object,
                                        std::string_view member) const {
    const auto number = Number(object, member);
    const auto& names = members_.find(member)->second.enumerators;
    const auto at = names.find(number.value_or(~std::uint64_t{0}));
    if (at == names.end()) return std::nullopt;
    return at->second;
  }

  std::optional<Run> ReadRun(std::uint64_t object,
                             std::string_view member) const {
    const Part& part = members_.find(member)->second;
    const auto data = image_.Number(object + part.pointer, kWord);
    const auto count = image_.Number(object + part.count, kWord);
    if (!data || !count) return std::nullopt;
    return Run{*data, *count};
  }

  std::optional<std::string> Text(std::uint64_t object,
                                  std::string_view member) const {
    const auto run = ReadRun(object, member);
    if (!run) return std::nullopt;
    const auto text = image_.Text(run->data, run->count);
    if (!text) return std::nullopt;
    return std::string(*text);
  }

 private:
  struct Part {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    // Of a pointer and count, from the start of the record. Which comes first,
    // and how deep, differs between standard libraries.
    std::uint64_t pointer = 0;
    std::uint64_t count = 0;
    std::map<std::uint64_t, std::string> enumerators;
  };

  Part ReadPart(const Member& member) const {
    Part part;
    part.offset = member.begin / 8;
    part.size = info_.SizeOf(member.type);
    Die type = Peel(member.type);
    if (dwarf_tag(&type) == DW_TAG_enumeration_type) {
      ForEachChild(type, [&](Die child) {
        if (const auto value = NumberIn(child, DW_AT_const_value)) {
          part.enumerators.emplace(*value, NameOf(child));
        }
      });
    }
    FindRun(type, part.offset, &part);
    return part;
  }

  void FindRun(Die type, std::uint64_t offset, Part* part) const {
    const auto defined = info_.Defined(type);
    if (!defined) return;
    type = *defined;
    if (IsPointer(type)) {
      part->pointer = offset;
    } else if (dwarf_tag(&type) == DW_TAG_base_type) {
      part->count = offset;
    }
    for (const Member& member : MembersOf(type)) {
      FindRun(member.type, offset + member.begin / 8, part);
    }
  }

  const Image& image_;
  const DebugInfo& info_;
  std::uint64_t size_;
  std::map<std::string, Part, std::less<>> members_;
};

/// The version in the symbol: "release_v1" of _ZN4acre10release_v16detail...
std::string_view VersionIn(std::string_view symbol) {
  symbol.remove_prefix(std::string_view("_ZN4acre").size());
  std::size_t length = 0;
  const char* end = symbol.data() + symbol.size();
  const auto [rest, status] = std::from_chars(symbol.data(), end, length);
  if (status != std::errc() || length > static_cast<std::size_t>(end - rest)) {
    return {};
  }
  return {rest, length};
}

class Reader {
 public:
  Reader(const Image& image, const DebugInfo& info)
      : image_(image), info_(info) {}

  std::vector<Layout> Read(std::string* error) {
    ListSymbols();
    if (layouts_.empty()) {
      *error = "no layouts: nothing in it is registered with acre";
      return {};
    }
    for (const auto& [address, symbol] : layouts_) {
      if (!ReadLayout(address, *symbol)) {
        *error = "the layouts cannot be read: " + std::string(symbol->name);
        return {};
      }
    }
    LinkFields();
    Sort();
    return std::move(result_);
  }

 private:
  struct Records {
    Record type;
    Record field;
  };

  void ListSymbols() {
    for (const Symbol& symbol : image_.symbols()) {
      if (!MangledArgument(symbol.name, "kLayoutOf").empty()) {
        layouts_.emplace(symbol.address, &symbol);
      } else if (!MangledArgument(symbol.name, "GetLayout").empty()) {
        functions_.emplace(symbol.address, &symbol);
      }
    }
    for (const auto& [address, symbol] : layouts_) {
      by_argument_.emplace(
          std::pair(MangledArgument(symbol->name, "kLayoutOf"), symbol->source),
          address);
    }
  }

  /// How this version of acre writes its layouts. Null where the debug
  /// information does not say.
  const Records* RecordsOf(std::string_view version) {
    const std::string scope = "acre::" + std::string(version) + "::";
    if (const auto at = records_.find(scope); at != records_.end()) {
      return &at->second;
    }
    const auto type = info_.Find(scope + "TypeLayout");
    const auto field = info_.Find(scope + "FieldLayout");
    if (!type || !field) return nullptr;
    Records records{Record(image_, info_, *type),
                    Record(image_, info_, *field)};
    for (const char* name : {"name", "size", "kind", "offence", "fields"}) {
      if (!records.type.Has(name)) return nullptr;
    }
    for (const char* name : {"name", "offset", "size", "note", "type"}) {
      if (!records.field.Has(name)) return nullptr;
    }
    return &records_.emplace(scope, std::move(records)).first->second;
  }

  bool ReadLayout(std::uint64_t address, const Symbol& symbol) {
    const std::string_view version = VersionIn(symbol.name);
    const Records* records = RecordsOf(version);
    if (records == nullptr) return false;
    const auto name = records->type.Text(address, "name");
    const auto size = records->type.Number(address, "size");
    const auto kind = records->type.Enumerator(address, "kind");
    const auto offence = records->type.Text(address, "offence");
    const auto fields = records->type.ReadRun(address, "fields");
    if (!name || !size || !kind || !offence || !fields) return false;
    Layout layout;
    layout.name = PlainName(*name, version);
    layout.size = *size;
    layout.kind = *kind;
    layout.is_refused = !offence->empty();
    if (layout.is_struct() && !ReadFields(*fields, *records, &layout)) {
      return false;
    }
    layout.types = TypesOf(address, *fields, layout, symbol);
    if (layout.types.empty()) layout.types = info_.Called(*name);
    by_address_.emplace(address, result_.size());
    result_.push_back(std::move(layout));
    return true;
  }

  bool ReadFields(const Run& run, const Records& records, Layout* layout) {
    for (std::uint64_t i = 0; i < run.count; ++i) {
      const std::uint64_t at = run.data + i * records.field.size();
      const auto name = records.field.Text(at, "name");
      const auto offset = records.field.Number(at, "offset");
      const auto size = records.field.Number(at, "size");
      const auto note = records.field.Enumerator(at, "note");
      if (!name || !offset || !size || !note) return false;
      Field field{*name, *offset, *size, *note};
      // Parts of a std::pair: ".first".
      if (field.name.starts_with('.')) field.name.erase(0, 1);
      layout->fields.push_back(std::move(field));
      getters_.push_back(records.field.Number(at, "type").value_or(0));
    }
    return true;
  }

  std::vector<Die> TypesOf(std::uint64_t address, const Run& fields,
                           const Layout& layout, const Symbol& symbol) const {
    if (const auto type = info_.DescribedAt(address)) return {*type};
    if (layout.is_struct() && fields.count > 0) {
      if (const auto type = info_.DescribedAt(fields.data)) return {*type};
    }
    return info_.DescribedBy(MangledArgument(symbol.name, "kLayoutOf"));
  }

  /// The name without acre's version, spelled alike for both compilers.
  static std::string PlainName(std::string name, std::string_view version) {
    const std::pair<std::string, std::string_view> replacements[] = {
        {std::string(version) + "::", ""},
        {"{anonymous}", "(anonymous namespace)"},
        {" *", "*"}};
    for (const auto& [from, to] : replacements) {
      for (std::size_t at; (at = name.find(from)) != std::string::npos;) {
        name.replace(at, from.size(), to);
      }
    }
    return name;
  }

  /// From a field to the layout of its type: the function GetLayout<M> that the
  /// field holds, then the kLayoutOf<M> of the same M.
  void LinkFields() {
    std::size_t next = 0;
    for (Layout& layout : result_) {
      for (Field& field : layout.fields) {
        const auto function = functions_.find(getters_[next++]);
        if (function == functions_.end()) continue;
        field.type = LayoutNamed(*function->second);
      }
    }
  }

  std::size_t LayoutNamed(const Symbol& function) const {
    const auto argument = MangledArgument(function.name, "GetLayout");
    auto at = by_argument_.find({argument, function.source});
    if (at == by_argument_.end()) {
      // Link-time optimization may have made one of the two local.
      at = by_argument_.lower_bound({argument, 0});
      if (at == by_argument_.end() || at->first.first != argument) {
        return kUnknown;
      }
    }
    return by_address_.at(at->second);
  }

  /// By name, so that reports of equal programs are equal.
  void Sort() {
    std::vector<std::size_t> order(result_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
      return result_[a].name < result_[b].name;
    });
    std::vector<std::size_t> place(order.size());
    std::vector<Layout> sorted;
    for (std::size_t i = 0; i < order.size(); ++i) {
      place[order[i]] = i;
      sorted.push_back(std::move(result_[order[i]]));
    }
    for (Layout& layout : sorted) {
      for (Field& field : layout.fields) {
        if (field.type != kUnknown) field.type = place[field.type];
      }
    }
    result_ = std::move(sorted);
  }

  using Argument = std::pair<std::string_view, unsigned>;  // and source file

  const Image& image_;
  const DebugInfo& info_;
  std::map<std::uint64_t, const Symbol*> layouts_;    // by address
  std::map<std::uint64_t, const Symbol*> functions_;  // GetLayout, by address
  std::map<Argument, std::uint64_t> by_argument_;     // to layouts_
  std::map<std::string, Records> records_;            // by version
  std::map<std::uint64_t, std::size_t> by_address_;   // to result_
  std::vector<std::uint64_t> getters_;                // of all fields, in order
  std::vector<Layout> result_;
};

}  // namespace

std::vector<Layout> ReadLayouts(const Image& image, const DebugInfo& info,
                                std::string* error) {
  return Reader(image, info).Read(error);
}

}  // namespace layout_check
