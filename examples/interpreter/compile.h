// SPDX-License-Identifier: MIT
//
// Compiler: from cells to code, in the arena of the program. A variable becomes
// the number of steps out to it; constants are collected objects, which the
// arena holds, since it is traced.

#ifndef ACRE_EXAMPLES_INTERPRETER_COMPILE_H_
#define ACRE_EXAMPLES_INTERPRETER_COMPILE_H_

#include <span>
#include <string_view>
#include <vector>

#include "memory.h"
#include "reader.h"

namespace scheme {

enum class Op : std::uint32_t {
  kConstant,
  kLocal,      // index: steps out
  kGlobal,     // global
  kSetLocal,   // index; parts: value
  kSetGlobal,  // global; parts: value
  kIf,         // parts: test, yes, no
  kLambda,     // index: parameters; is_rest: the last one takes a list;
               // parts: body
  kSequence,   // parts
  kLet,        // parts: values, body. The values do not see each other ...
  kLetrec,     // ... or do
  kAnd,
  kOr,
  kCall,  // parts: function, arguments
};

struct Code {
  Op op = Op::kConstant;
  std::uint32_t index = 0;
  bool is_rest = false;
  bool is_definition = false;  // of kSetGlobal: the variable may be new
  int line = 0;
  int column = 0;
  Cell* constant = nullptr;
  Global* global = nullptr;
  std::span<Code*> parts;
};
ACRE_LAYOUT(Code, op, index, is_rest, is_definition, line, column, constant,
            global, parts)

class Globals {
 public:
  explicit Globals(Memory& memory);
  Global* Get(std::string_view name);

 private:
  Memory& memory_;
  acre::Map<acre::String, Global*>* by_name_;
};

class Compiler {
 public:
  Compiler(Memory& memory, Globals& globals);

  /// A toplevel form. `reader` knows the places. Throws Error.
  Code* Compile(const Cell* form, const Reader& reader);

 private:
  /// Names that a function, let or letrec makes known, the innermost last.
  using Names = std::vector<const Cell*>;

  Code* Form(const Cell* form, Place place);
  Code* List(const Cell* list, Place place);
  Code* Variable(const Cell* symbol, Place place);
  Code* Assign(const Cell* symbol, Code* value, Place place);
  Code* Lambda(const Cell* parameters, const Cell* body, Place place);
  Code* Body(const Cell* body, Place place);
  Code* Let(const Cell* list, Op op, Place place);
  Code* NamedLet(const Cell* list, Place place);
  Code* LetInTurn(const Cell* bindings, const Cell* body, Place place);
  Code* Cond(const Cell* clauses, Place place);
  Code* Do(const Cell* list, Place place);
  Code* Define(const Cell* list, Place place);
  Code* Sequence(const Cell* forms, Place place);
  Code* Bind(Op op, const Names& names, const std::vector<const Cell*>& values,
             const Cell* body, Place place);

  Code* New(Op op, Place place, const std::vector<Code*>& parts = {});
  Code* Constant(Cell* value, Place place);
  Cell* Lasting(const Cell* value);
  bool Is(const Cell* symbol, std::string_view name) const;
  Place PlaceOf(const Cell* form, Place around) const;

  Memory& memory_;
  Globals& globals_;
  const Reader* reader_ = nullptr;
  Names names_;
};

}  // namespace scheme

#endif  // ACRE_EXAMPLES_INTERPRETER_COMPILE_H_
