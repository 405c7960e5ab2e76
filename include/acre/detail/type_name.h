// SPDX-License-Identifier: MIT
//
// Type names without RTTI, and the table of std types that cannot live in an
// arena. Matching by name keeps <map>, <mutex>, <functional> and two dozen
// other headers out of every user's build. Texts are told by their type: libc++
// has clang name them by their aliases, std::string or std::pmr::u16string.

#ifndef ACRE_DETAIL_TYPE_NAME_H_
#define ACRE_DETAIL_TYPE_NAME_H_

#include <cstdint>
#include <iosfwd>  // declares std::basic_string
#include <string_view>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

// The compilers write differently: "[with T = X]" and "[T = X]". The return
// type must not be a typedef, or g++ explains it in the same brackets.
template <class T>
consteval auto FunctionName() {
  return std::string_view(__PRETTY_FUNCTION__, sizeof __PRETTY_FUNCTION__ - 1);
}

// The same for every T, so looked for once.
inline constexpr std::size_t kNameBegin = FunctionName<int>().find("T = ") + 4;

template <class T>
consteval auto TypeName() {
  constexpr std::string_view kText = FunctionName<T>();
  return kText.substr(kNameBegin, kText.size() - kNameBegin - 1);
}

/// As FNV-1a, but of eight characters at a time: one by one was a third of what
/// compilers take for a type with a long name.
constexpr std::uint64_t HashName(std::string_view text,
                                 std::uint64_t hash = 0xcbf29ce484222325u) {
  constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15u;  // 2^64 / golden ratio
  const char* const chars = text.data();
  const auto at = [chars](std::size_t i) {
    return std::uint64_t{static_cast<unsigned char>(chars[i])};
  };
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    const std::uint64_t eight =
        at(i) | at(i + 1) << 8 | at(i + 2) << 16 | at(i + 3) << 24 |
        at(i + 4) << 32 | at(i + 5) << 40 | at(i + 6) << 48 | at(i + 7) << 56;
    // The upper half comes down, where a product alone only moves up.
    hash = (hash ^ eight ^ hash >> 32) * kFactor;
  }
  for (; i < text.size(); ++i) hash = (hash ^ at(i) ^ hash >> 32) * kFactor;
  return hash;
}

/// What follows "std::" in a name, and an inline namespace: both
/// "std::list<int>" and "std::__cxx11::list<int>" are "list<int>". Empty for
/// names of other namespaces.
constexpr std::string_view NameInStd(std::string_view name) {
  if (!name.starts_with("std::")) return {};
  name.remove_prefix(5);
  if (!name.starts_with("__")) return name;
  const std::size_t end = name.find("::");
  if (end == std::string_view::npos) return {};
  name.remove_prefix(end + 2);
  return name;
}

constexpr bool IsStdTemplate(std::string_view name, std::string_view wanted) {
  return NameInStd(name).starts_with(wanted);
}

// No string_view: every file would pay for seventy lengths.
struct Rejection {
  const char* prefix;  // behind "std::"
  const char* advice;
};

inline constexpr Rejection kRejections[] = {
    {"vector<", "std::vector, use acre::Vector"},
    {"deque<", "std::deque, use acre::Vector"},
    {"list<", "std::list, use acre::Vector or pointers made by New"},
    {"forward_list<", "std::forward_list, use pointers made by New"},
    {"map<", "std::map, use acre::Map"},
    {"multimap<", "std::multimap, use acre::Map of acre::Vector"},
    {"unordered_map<", "std::unordered_map, use acre::Map"},
    {"unordered_multimap<",
     "std::unordered_multimap, use acre::Map of acre::Vector"},
    {"set<", "std::set, use acre::Set"},
    {"multiset<", "std::multiset, use acre::Map to a count"},
    {"unordered_set<", "std::unordered_set, use acre::Set"},
    {"unordered_multiset<",
     "std::unordered_multiset, use acre::Map to a count"},
    {"queue<", "std::queue, use acre::Vector"},
    {"priority_queue<", "std::priority_queue, use acre::Vector"},
    {"stack<", "std::stack, use acre::Vector"},
    {"unique_ptr<", "std::unique_ptr, use a plain pointer made by New"},
    {"shared_ptr<", "std::shared_ptr, use a plain pointer made by New"},
    {"weak_ptr<", "std::weak_ptr, use a plain pointer made by New"},
    {"function<", "std::function, use an index or an enum"},
    {"any", "std::any, use std::variant"},
    {"mutex", "std::mutex, keep locks outside the arena"},
    {"timed_mutex", "std::timed_mutex, keep locks outside the arena"},
    {"recursive_timed_mutex",
     "std::recursive_timed_mutex, keep locks outside the arena"},
    {"shared_timed_mutex",
     "std::shared_timed_mutex, keep locks outside the arena"},
    {"recursive_mutex", "std::recursive_mutex, keep locks outside the arena"},
    {"shared_mutex", "std::shared_mutex, keep locks outside the arena"},
    {"condition_variable",
     "std::condition_variable, keep it outside the arena"},
    {"atomic", "std::atomic, an arena serves one thread at a time"},
    {"thread", "std::thread, keep threads outside the arena"},
    {"jthread", "std::jthread, keep threads outside the arena"},
    {"future<", "std::future, keep it outside the arena"},
    {"promise<", "std::promise, keep it outside the arena"},
    {"reference_wrapper<", "std::reference_wrapper, use a pointer"},
    {"initializer_list<", "std::initializer_list, use acre::Vector"},
};

/// Whether T is a std::basic_string: of any characters, traits and allocator.
template <class T>
inline constexpr bool kIsStdString = false;
template <class C, class R, class A>
inline constexpr bool kIsStdString<std::basic_string<C, R, A>> = true;
/// The same, of any characters and traits.
template <class T>
inline constexpr bool kIsStdStringView = false;
template <class C, class R>
inline constexpr bool kIsStdStringView<std::basic_string_view<C, R>> = true;

/// Advice for a std type that is no element, or empty.
template <class T>
consteval std::string_view RejectionOf() {
  if constexpr (kIsStdString<T>) return "std::string, use acre::String";
  if constexpr (kIsStdStringView<T>) return "a wide string_view, use std::span";
  const std::string_view name = NameInStd(TypeName<T>());
  if (name.empty()) return {};
  for (const Rejection& rejection : kRejections) {
    if (name.starts_with(rejection.prefix)) return rejection.advice;
  }
  return {};
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_TYPE_NAME_H_
