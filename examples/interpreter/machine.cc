// SPDX-License-Identifier: MIT

#include "machine.h"

#include <sys/resource.h>

#include <algorithm>
#include <string>

namespace scheme {
namespace {

/// A continuation was called: thrown to where it leads.
struct Leaving {
  std::int64_t number;
  Cell* value;
};

constexpr std::size_t kMostStack = std::size_t{64} << 20;
constexpr std::size_t kSpared = std::size_t{512} << 10;

std::string Name(const Code& code) {
  return std::string(code.global->name.view());
}

}  // namespace

Machine::Machine(Memory& memory, Symbols& symbols, Globals& globals,
                 std::ostream& output)
    : memory_(memory), symbols_(symbols), output_(output) {
  rlimit limit{};
  std::size_t stack = kMostStack;
  if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    stack = std::min<std::size_t>(stack, limit.rlim_cur);
  }
  lowest_ = static_cast<const char*>(__builtin_frame_address(0)) -
            (stack - std::min(stack, kSpared));
  DefineBuiltins(memory, globals);
}

void Machine::CheckStack() const {
  if (static_cast<const char*>(__builtin_frame_address(0)) < lowest_) {
    throw Error("recursion too deep");
  }
}

Cell* Machine::NewVariable(Cell* value, Cell* environment) {
  Cell* const variable = memory_.New(Kind::kVariable);
  variable->head = value;
  variable->tail = environment;
  return variable;
}

/// The environment of a call.
Cell* Machine::Bind(const Cell* closure, std::span<Cell* const> arguments) {
  const Code& code = *closure->code;
  const std::size_t named = code.index - (code.is_rest ? 1 : 0);
  if (arguments.size() < named || (arguments.size() > named && !code.is_rest)) {
    throw Error("a function of " + std::to_string(named) +
                (code.is_rest ? " arguments or more" : " arguments") +
                " is called with " + std::to_string(arguments.size()));
  }
  Cell* environment = closure->head;
  for (std::size_t i = 0; i < named; ++i) {
    environment = NewVariable(arguments[i], environment);
  }
  if (!code.is_rest) return environment;
  Cell* rest = &nil;
  for (std::size_t i = arguments.size(); i-- > named;) {
    rest = memory_.Pair(arguments[i], rest);
  }
  return NewVariable(rest, environment);
}

Cell* Machine::Apply(Cell* function, std::span<Cell* const> arguments) {
  switch (function->kind) {
    case Kind::kClosure:
      return Run(function->code->parts[0], Bind(function, arguments));
    case Kind::kBuiltin:
      return CallBuiltin(*this, function->number, arguments);
    case Kind::kEscape:
      if (std::find(open_.begin(), open_.end(), function->number) ==
          open_.end()) {
        throw Error("a continuation that is over: it leads out only");
      }
      throw Leaving{function->number,
                    arguments.empty() ? &unspecified : arguments[0]};
    default:
      throw Error("not a function: " + Print(function, false));
  }
}

Cell* Machine::CallWithEscape(Cell* function) {
  Cell* const escape = memory_.New(Kind::kEscape);
  const std::int64_t number = ++escapes_;
  escape->number = number;
  Cell* const arguments[] = {escape};
  // However it is left.
  struct Open {
    explicit Open(std::vector<std::int64_t>& all, std::int64_t one)
        : open(all) {
      open.push_back(one);
    }
    ~Open() { open.pop_back(); }
    std::vector<std::int64_t>& open;
  } const is_open(open_, number);
  try {
    return Apply(function, arguments);
  } catch (const Leaving& leaving) {
    if (leaving.number != number) throw;
    return leaving.value;
  }
}

/// Apart from Run, whose frame is to stay small, since calls in the last place
/// go on in it.
__attribute__((noinline)) Machine::Called Machine::Call(const Code& code,
                                                        Cell* environment) {
  Cell* const function = Run(code.parts[0], environment);
  const std::size_t count = code.parts.size() - 1;
  // On the stack, where the collector sees them.
  auto** const arguments =
      static_cast<Cell**>(__builtin_alloca((count + 1) * sizeof(Cell*)));
  for (std::size_t i = 0; i < count; ++i) {
    arguments[i] = Run(code.parts[i + 1], environment);
  }
  try {
    if (function->kind != Kind::kClosure) {
      return {nullptr, Apply(function, {arguments, count})};
    }
    return {function->code->parts[0], Bind(function, {arguments, count})};
  } catch (Error& error) {
    error.SetPlace({code.line, code.column});
    throw;
  }
}

Cell* Machine::Run(const Code* code, Cell* environment) {
  CheckStack();
  for (;;) {
    const std::span<Code* const> parts = code->parts;
    switch (code->op) {
      case Op::kConstant:
        return code->constant;
      case Op::kLocal: {
        const Cell* variable = environment;
        for (std::uint32_t i = code->index; i != 0; --i) {
          variable = variable->tail;
        }
        if (variable->head == nullptr) {
          throw Error("a variable is used before it has a value",
                      {code->line, code->column});
        }
        return variable->head;
      }
      case Op::kGlobal:
        if (code->global->value == nullptr) {
          throw Error("unbound variable " + Name(*code),
                      {code->line, code->column});
        }
        return code->global->value;
      case Op::kSetLocal: {
        Cell* const value = Run(parts[0], environment);
        Cell* variable = environment;
        for (std::uint32_t i = code->index; i != 0; --i) {
          variable = variable->tail;
        }
        memory_.SetHead(variable, value);
        return &unspecified;
      }
      case Op::kSetGlobal: {
        if (code->global->value == nullptr && !code->is_definition) {
          throw Error("set! of unbound variable " + Name(*code),
                      {code->line, code->column});
        }
        memory_.SetGlobal(code->global, Run(parts[0], environment));
        return &unspecified;
      }
      case Op::kIf:
        code = IsTrue(Run(parts[0], environment)) ? parts[1] : parts[2];
        continue;
      case Op::kLambda: {
        Cell* const closure = memory_.New(Kind::kClosure);
        closure->code = code;
        closure->head = environment;
        return closure;
      }
      case Op::kAnd:
      case Op::kOr: {
        const bool ends = code->op == Op::kOr;
        if (parts.empty()) return Boolean(!ends);
        Cell* value = &nil;
        std::size_t i = 0;
        for (; i + 1 < parts.size(); ++i) {
          value = Run(parts[i], environment);
          if (IsTrue(value) == ends) return value;
        }
        code = parts[i];
        continue;
      }
      case Op::kSequence:
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
          Run(parts[i], environment);
        }
        code = parts.back();
        continue;
      case Op::kLet: {
        Cell* inner = environment;
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
          inner = NewVariable(Run(parts[i], environment), inner);
        }
        environment = inner;
        code = parts.back();
        continue;
      }
      case Op::kLetrec: {
        const std::size_t count = parts.size() - 1;
        for (std::size_t i = 0; i < count; ++i) {
          environment = NewVariable(nullptr, environment);
        }
        for (std::size_t i = 0; i < count; ++i) {
          Cell* variable = environment;
          for (std::size_t k = i + 1; k < count; ++k) variable = variable->tail;
          Cell* const value = Run(parts[i], environment);
          variable->head = value;  // it is of this form
        }
        code = parts.back();
        continue;
      }
      case Op::kCall: {
        const Called called = Call(*code, environment);
        if (called.body == nullptr) return called.value;
        environment = called.value;
        code = called.body;
        continue;
      }
    }
  }
}

}  // namespace scheme
