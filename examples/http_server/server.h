// SPDX-License-Identifier: MIT
//
// The server: every request gets an arena from a pool, bound to the thread that
// answers it, and gives it back when the answer is written.

#ifndef HTTP_SERVER_SERVER_H_
#define HTTP_SERVER_SERVER_H_

#include <acre/arena_pool.h>
#include <httplib.h>

#include <string>

namespace web {

class WordServer {
 public:
  WordServer();

  /// Listens on 127.0.0.1; `port` 0 takes any free one. The port, or -1.
  int Bind(int port);
  /// Answers requests until Stop() is called in another thread.
  void Run();
  void Stop();

  acre::ArenaPoolStats arenas() const { return pool_.stats(); }

 private:
  void Answer(const httplib::Request& request, const std::string& text,
              httplib::Response& response);

  acre::ArenaPool pool_;
  httplib::Server server_;
};

}  // namespace web

#endif  // HTTP_SERVER_SERVER_H_
