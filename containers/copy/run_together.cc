// SPDX-License-Identifier: MIT

#include "copy/run_together.h"

#include <pthread.h>

#include <csignal>
#include <exception>
#include <memory>
#include <mutex>

namespace acre::inline ACRE_ABI::detail {
namespace {

struct Member {
  void (*run)(void* data, unsigned member) = nullptr;
  void* data = nullptr;
  unsigned number = 0;
  std::mutex* gate = nullptr;  // held until it is known whether all are there
  const bool* goes = nullptr;  // read when it has passed
  pthread_t thread = {};
#if ACRE_EXCEPTIONS
  std::exception_ptr thrown = nullptr;
#endif

  void Run() {
#if ACRE_EXCEPTIONS
    try {
      run(data, number);
    } catch (...) {
      thrown = std::current_exception();
    }
#else
    run(data, number);
#endif
  }
};

/// The calling thread is not cancelled while it lives.
class Uncancelled {
 public:
  Uncancelled() { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  Uncancelled(const Uncancelled&) = delete;
  Uncancelled& operator=(const Uncancelled&) = delete;
  ~Uncancelled() { pthread_setcancelstate(before_, nullptr); }

 private:
  int before_ = 0;
};

void* RunMember(void* data) {
  auto& member = *static_cast<Member*>(data);
  {
    const std::lock_guard<std::mutex> pass(*member.gate);
    if (!*member.goes) return nullptr;
  }
  member.Run();
  return nullptr;
}

}  // namespace

bool RunTogether(unsigned members, void (*run)(void* data, unsigned member),
                 void* data) {
  // Not while others work at what is on this stack.
  const Uncancelled uncancelled;
  const std::unique_ptr<Member[]> all(new Member[members]);
  std::mutex gate;
  bool goes = false;
  unsigned started = 1;
  {
    const std::lock_guard<std::mutex> hold(gate);
    sigset_t none;
    sigset_t before;
    sigfillset(&none);
    // What the thread does itself, libgc's write faults among that.
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) {
      sigdelset(&none, own);
    }
    pthread_sigmask(SIG_SETMASK, &none, &before);
    for (unsigned i = 0; i < members; ++i) {
      all[i] = {
          .run = run, .data = data, .number = i, .gate = &gate, .goes = &goes};
    }
    while (started < members &&
           pthread_create(&all[started].thread, nullptr, &RunMember,
                          &all[started]) == 0) {
      ++started;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    goes = started == members;
  }
  if (goes) all[0].Run();
  for (unsigned i = 1; i < started; ++i) pthread_join(all[i].thread, nullptr);
#if ACRE_EXCEPTIONS
  for (unsigned i = 0; i < members; ++i) {
    if (all[i].thrown != nullptr) std::rethrow_exception(all[i].thrown);
  }
#endif
  return goes;
}

}  // namespace acre::inline ACRE_ABI::detail
