// SPDX-License-Identifier: MIT
//
// A small Scheme that lives beside the collector: what it makes while a
// toplevel form runs lies in an arena, and what the form leaves behind escapes.
//
//   interpreter [--memory=gc] [--audit] FILE...
//
// --memory=gc: the same with every object from GC_malloc. --audit: the arenas
// are audited after each form, and what was found is told. Prints what the
// programs print and, at the end, to standard error, time, collections, pauses.

#include <acre/audit.h>
#include <fmt/format.h>
#include <gc/gc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "machine.h"

namespace {

using Clock = std::chrono::steady_clock;

double MillisecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin)
      .count();
}

/// How long collections take; told by libgc.
struct Collections {
  Clock::time_point begin;
  double milliseconds = 0;
  double longest = 0;
  int count = 0;
};
Collections collections;

void GC_CALLBACK OnEvent(GC_EventType event) {
  if (event == GC_EVENT_START) collections.begin = Clock::now();
  if (event != GC_EVENT_END) return;
  const double time = MillisecondsSince(collections.begin);
  collections.milliseconds += time;
  collections.longest = std::max(collections.longest, time);
  ++collections.count;
}

// What is shorter in the language itself.
constexpr std::string_view kPrelude = R"(
(define (list-tail l k) (if (= k 0) l (list-tail (cdr l) (- k 1))))
(define (list-ref l k) (car (list-tail l k)))
(define (memq x l) (if (null? l) #f (if (eq? x (car l)) l (memq x (cdr l)))))
(define (member x l)
  (if (null? l) #f (if (equal? x (car l)) l (member x (cdr l)))))
(define (assq x l)
  (if (null? l) #f (if (eq? x (car (car l))) (car l) (assq x (cdr l)))))
(define (assoc x l)
  (if (null? l) #f (if (equal? x (car (car l))) (car l) (assoc x (cdr l)))))
(define (map f l)
  (let loop ((l l) (done '()))
    (if (null? l) (reverse done) (loop (cdr l) (cons (f (car l)) done)))))
(define (for-each f l)
  (if (null? l) #t (begin (f (car l)) (for-each f (cdr l)))))
)";

class Interpreter {
 public:
  Interpreter(bool with_arenas, bool audits)
      : audits_(audits),
        memory_(with_arenas),
        symbols_(memory_),
        globals_(memory_),
        compiler_(memory_, globals_),
        machine_(memory_, symbols_, globals_, std::cout) {}

  /// False where something was wrong: all of it is told, form by form.
  bool Load(std::string_view text, const std::string& name) {
    scheme::Reader reader(text, memory_, symbols_);
    bool is_right = true;
    for (;;) {
      try {
        memory_.MakeLasting(true);
        const scheme::Cell* const form = reader.Next();
        if (form == nullptr) return is_right;
        const scheme::Code* const code = compiler_.Compile(form, reader);
        memory_.MakeLasting(false);
        machine_.Run(code);
        memory_.EndForm(&scheme::nil);
      } catch (const scheme::Error& error) {
        memory_.GiveUpForm();
        is_right = false;
        const bool has_place = error.place().line != 0;
        const scheme::Place place = has_place ? error.place() : reader.place();
        std::cout.flush();
        fmt::print(stderr, "{}:{}:{}: {}\n", name, place.line, place.column,
                   error.what());
        // What is not read to its end has no next form.
        if (reader.IsLost()) return false;
      }
      ++forms_;
      if (audits_) is_right = Audit() && is_right;
    }
  }

  void Tell(double milliseconds) const {
    std::cout.flush();
    fmt::print(stderr,
               "{} forms, {:.0f} ms; {} collections, {:.1f} ms, the longest "
               "{:.2f} ms; {}{}\n",
               forms_, milliseconds, collections.count,
               collections.milliseconds, collections.longest,
               memory_.with_arenas()
                   ? fmt::format("{} nurseries", memory_.nurseries())
                   : "no arenas",
               audits_ ? fmt::format("; {} findings", findings_) : "");
  }

 private:
  bool Audit() {
    const acre::AuditReport report = acre::AuditAll(memory_.program());
    for (const acre::Finding& finding : report.findings) {
      fmt::print(stderr, "{}\n", finding.path);
    }
    findings_ += report.findings.size();
    return report.findings.empty();
  }

  const bool audits_;
  scheme::Memory memory_;
  scheme::Symbols symbols_;
  scheme::Globals globals_;
  scheme::Compiler compiler_;
  scheme::Machine machine_;
  std::size_t forms_ = 0;
  std::size_t findings_ = 0;
};

int Usage() {
  fmt::print(stderr, "usage: interpreter [--memory=gc] [--audit] FILE...\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  bool with_arenas = true;
  bool audits = false;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--memory=gc") {
      with_arenas = false;
    } else if (argument == "--memory=arenas") {
      with_arenas = true;
    } else if (argument == "--audit") {
      audits = true;
    } else if (argument.starts_with("-")) {
      return Usage();
    } else {
      files.emplace_back(argument);
    }
  }
  if (files.empty()) return Usage();
  GC_INIT();
  GC_set_on_collection_event(&OnEvent);
  Interpreter interpreter(with_arenas, audits);
  bool is_right = interpreter.Load(kPrelude, "prelude");
  const Clock::time_point begin = Clock::now();
  for (const std::string& file : files) {
    std::ifstream input(file);
    if (!input) {
      fmt::print(stderr, "{}: cannot be read\n", file);
      return 1;
    }
    std::ostringstream text;
    text << input.rdbuf();
    is_right = interpreter.Load(text.str(), file) && is_right;
  }
  interpreter.Tell(MillisecondsSince(begin));
  return is_right ? 0 : 1;
}
