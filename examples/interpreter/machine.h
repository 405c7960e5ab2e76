// SPDX-License-Identifier: MIT
//
// Machine: runs code. Calls in the last place take no stack; what does is
// refused before the stack ends.

#ifndef ACRE_EXAMPLES_INTERPRETER_MACHINE_H_
#define ACRE_EXAMPLES_INTERPRETER_MACHINE_H_

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "compile.h"
#include "memory.h"

namespace scheme {

class Machine {
 public:
  Machine(Memory& memory, Symbols& symbols, Globals& globals,
          std::ostream& output);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  Cell* Run(const Code* code, Cell* environment = &nil);
  /// Calls a function with arguments that are there.
  Cell* Apply(Cell* function, std::span<Cell* const> arguments);

  Memory& memory() { return memory_; }
  Symbols& symbols() { return symbols_; }
  std::ostream& output() { return output_; }

  Cell* CallWithEscape(Cell* function);

 private:
  struct Called {
    const Code* body;  // to be run in `value`; null: that is the result
    Cell* value;
  };
  Called Call(const Code& code, Cell* environment);
  Cell* Bind(const Cell* closure, std::span<Cell* const> arguments);
  Cell* NewVariable(Cell* value, Cell* environment);
  void CheckStack() const;

  Memory& memory_;
  Symbols& symbols_;
  std::ostream& output_;
  const char* lowest_;  // the stack must not grow below
  std::int64_t escapes_ = 0;
  std::vector<std::int64_t> open_;  // those that lead somewhere
};

/// The functions that are there: makes them globals.
void DefineBuiltins(Memory& memory, Globals& globals);
Cell* CallBuiltin(Machine& machine, std::int64_t number,
                  std::span<Cell* const> arguments);

/// As a program would write it; `display`: texts without quotes.
std::string Print(const Cell* value, bool display);

}  // namespace scheme

#endif  // ACRE_EXAMPLES_INTERPRETER_MACHINE_H_
