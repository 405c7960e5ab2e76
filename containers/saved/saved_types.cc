// SPDX-License-Identifier: MIT

#include "saved/saved_types.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <vector>

#include "acre/detail/path.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

constexpr std::string_view kType = "TYPE ";
constexpr std::string_view kField = "FIELD ";

void AddNumber(std::string& text, std::uint64_t number) {
  text += std::to_string(number);
  text += ' ';
}

/// Behind its offset or address: what a layout says beside type and note.
unsigned NoteOf(const FieldLayout& field) {
  return static_cast<unsigned>(field.note) * 2 + (field.is_transient ? 1 : 0);
}

struct Field {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t note = 0;
  std::string_view name;
  std::string_view type;
};

struct Type {
  std::string_view line;  // all of it but the name
  std::string_view name;
  std::uint64_t size = 0;
  std::vector<Field> fields;
};

std::string_view UpTo(std::string_view& text, char end) {
  const std::size_t at = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

std::uint64_t NumberIn(std::string_view& line) {
  const std::string_view text = UpTo(line, ' ');
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Whatever the text is.
std::vector<Type> Parse(std::string_view text) {
  std::vector<Type> types;
  while (!text.empty()) {
    std::string_view line = UpTo(text, '\n');
    const std::string_view whole = line;
    if (line.starts_with(kType)) {
      line.remove_prefix(kType.size());
      Type type;
      type.size = NumberIn(line);
      for (int i = 0; i < 3; ++i) NumberIn(line);
      type.name = line;
      type.line = whole.substr(0, whole.size() - line.size());
      types.push_back(std::move(type));
    } else if (line.starts_with(kField) && !types.empty()) {
      line.remove_prefix(kField.size());
      Field field;
      field.offset = NumberIn(line);
      field.size = NumberIn(line);
      field.note = NumberIn(line);
      field.name = UpTo(line, '\t');
      field.type = line;
      types.back().fields.push_back(field);
    }
  }
  return types;
}

template <class Named>
const Named* Find(const std::vector<Named>& all, std::string_view name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) {
    return one.name == name;
  });
  return found == all.end() ? nullptr : &*found;
}

std::string Quote(std::string_view text) { return Joined({"'", text, "'"}); }

std::string At(std::uint64_t offset) {
  return Joined({" (offset ", std::to_string(offset), ")"});
}

/// Empty where these two are alike.
std::string Compare(const Type& ours, const Type& theirs) {
  for (const Field& field : ours.fields) {
    const Field* const there = Find(theirs.fields, field.name);
    const std::string name = Joined({"field ", Quote(field.name)});
    if (there == nullptr) {
      return Joined({name, At(field.offset), " is not in the file"});
    }
    if (there->type != field.type) {
      return Joined(
          {name, " is ", field.type, ", and in the file ", there->type});
    }
    if (there->offset != field.offset) {
      return Joined({name, " is at offset ", std::to_string(field.offset),
                     ", and in the file at ", std::to_string(there->offset)});
    }
    if (there->size != field.size) {
      return Joined({name, " has ", std::to_string(field.size),
                     " bytes, and in the file ", std::to_string(there->size)});
    }
    if (there->note != field.note) {
      return Joined({name, " has another note in the file"});
    }
  }
  for (const Field& field : theirs.fields) {
    if (Find(ours.fields, field.name) == nullptr) {
      return Joined({"field ", Quote(field.name), At(field.offset),
                     " of the file is not in the type"});
    }
  }
  if (ours.size != theirs.size) {
    return Joined({"has ", std::to_string(ours.size),
                   " bytes, and in the file ", std::to_string(theirs.size)});
  }
  return ours.line == theirs.line ? "" : "is of another kind in the file";
}

}  // namespace

std::string DescribeTypes(const SavedPlans& plans) {
  std::string text;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const TypeLayout& type = *plans[i].type;
    text += kType;
    AddNumber(text, type.size);
    AddNumber(text, type.align);
    AddNumber(text, type.count);
    AddNumber(text, static_cast<unsigned>(type.kind));
    text += TypeText(type.name) + '\n';
    for (const FieldLayout& field : type.fields) {
      text += kField;
      AddNumber(text, field.offset);
      AddNumber(text, field.size);
      AddNumber(text, NoteOf(field));
      text += field.name;
      text += '\t';
      if (field.note != FieldNote::kOpaque)
        text += TypeText(field.type()->name);
      text += '\n';
    }
  }
  return text;
}

SaveError ExplainTypes(std::string_view ours, std::string_view theirs) {
  const std::vector<Type> here = Parse(ours);
  const std::vector<Type> there = Parse(theirs);
  const std::string root(here[0].name);
  SaveError error;
  error.path = root;
  if (there.empty() || there[0].name != root) {
    error.what =
        Joined({"the file holds ", there.empty() ? "nothing that has a type"
                                                 : Quote(there[0].name)});
    return error;
  }
  for (const Type& type : here) {
    if (type.name != root) error.path = Joined({root, ".", type.name});
    const Type* const same = Find(there, type.name);
    // One that is new is there because of a field, which tells more.
    if (same != nullptr) error.what = Compare(type, *same);
    if (error) {
      error.what += "; saved by another version";
      return error;
    }
  }
  error.path = root;
  error.what = "its types are not those of the file";
  return error;
}

}  // namespace acre::inline ACRE_ABI::detail
