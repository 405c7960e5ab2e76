// SPDX-License-Identifier: MIT

#include <fmt/format.h>

#include <string>

#include "machine.h"

namespace scheme {
namespace {

constexpr int kMostDepth = 100;
constexpr std::size_t kMostSize = 100'000;

void Add(std::string& text, const Cell* value, bool display, int depth);

void AddList(std::string& text, const Cell* list, bool display, int depth) {
  text += '(';
  Add(text, list->head, display, depth);
  for (list = list->tail; list->kind == Kind::kPair; list = list->tail) {
    if (text.size() > kMostSize) {
      text += " ...)";
      return;
    }
    text += ' ';
    Add(text, list->head, display, depth);
  }
  if (list != &nil) {
    text += " . ";
    Add(text, list, display, depth);
  }
  text += ')';
}

void Add(std::string& text, const Cell* value, bool display, int depth) {
  if (depth == kMostDepth) {
    text += "...";
    return;
  }
  switch (value->kind) {
    case Kind::kNil:
      text += "()";
      return;
    case Kind::kBoolean:
      text += value->number != 0 ? "#t" : "#f";
      return;
    case Kind::kUnspecified:
      text += "#<unspecified>";
      return;
    case Kind::kInteger:
      text += fmt::to_string(value->number);
      return;
    case Kind::kReal:
      text += fmt::to_string(RealOf(value));
      return;
    case Kind::kSymbol:
      text += value->payload->text.view();
      return;
    case Kind::kText:
      if (display) {
        text += value->payload->text.view();
        return;
      }
      text += '"';
      for (const char c : value->payload->text.view()) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
      }
      text += '"';
      return;
    case Kind::kPair:
      return AddList(text, value, display, depth + 1);
    case Kind::kRow:
      text += "#(";
      for (const Cell* item : value->payload->items) {
        if (text.back() != '(') text += ' ';
        Add(text, item, display, depth + 1);
      }
      text += ')';
      return;
    case Kind::kTable:
      text += fmt::format("#<hash-table {}>", value->payload->entries.size());
      return;
    case Kind::kClosure:
    case Kind::kBuiltin:
    case Kind::kEscape:
      text += "#<procedure>";
      return;
    case Kind::kVariable:
      text += "#<variable>";
      return;
  }
}

}  // namespace

std::string Print(const Cell* value, bool display) {
  std::string text;
  Add(text, value, display, 0);
  return text;
}

}  // namespace scheme
