// SPDX-License-Identifier: MIT
//
// A web server that answers each request out of one leased arena.
//
//   http_server --port 8080      serves until it is killed
//   http_server --self-test      serves itself from several threads, and checks
//
//   curl --data-binary @README.md 'http://127.0.0.1:8080/words?top=3'

#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server.h"

namespace {

constexpr int kThreads = 4;
constexpr int kRequests = 250;  // a thread
constexpr int kOthers = 6;      // besides: two refused, three forms, JSON

constexpr const char* kUsage =
    "Usage: http_server --port PORT | --self-test\n\n"
    "POST /words?top=N answers with the words of the body, counted; of\n"
    "application/json, those of its member \"text\".\n"
    "  --port PORT   serve on 127.0.0.1, 0: any free port\n"
    "  --self-test   serve, ask from several threads, check the answers\n";

/// A text with known counts: word i stands i + 1 times.
std::string TextOf(int words) {
  std::string text;
  for (int i = 0; i < words; ++i) {
    for (int n = 0; n <= i; ++n) text += fmt::format("word{} ", i);
  }
  return text;
}

/// What the answer to it must contain.
std::vector<std::string> PartsOfAnswer(int words) {
  return {fmt::format("\"words\":{}", words * (words + 1) / 2),
          fmt::format("\"different\":{}", words),
          fmt::format("\"longest\":\"word{}\"", words - 1),
          fmt::format("\"word\":\"word{}\"", words - 1),
          fmt::format("\"count\":{}", words)};
}

bool IsRightAnswer(const httplib::Result& result, int words) {
  if (!result || result->status != 200) return false;
  for (const std::string& part : PartsOfAnswer(words)) {
    if (result->body.find(part) == std::string::npos) return false;
  }
  return true;
}

/// Bodies that are called forms, as by curl, are texts as well; returns how
/// many answers were wrong.
int SendForms(httplib::Client& client) {
  const char* form = "application/x-www-form-urlencoded";
  const httplib::Result large =
      client.Post("/words?top=1", TextOf(100), form);  // 37 KiB
  const httplib::Result parameter =
      client.Post("/words?top=0", "x&top=many words", form);
  const httplib::Result parts = client.Post(
      "/words?top=1", httplib::MultipartFormDataItems{
                          {"file", TextOf(3), "three.txt", "text/plain"}});
  return !IsRightAnswer(large, 100) + !IsRightAnswer(parts, 3) +
         !(parameter && parameter->status == 200 &&
           parameter->body.find("\"words\":4") != std::string::npos);
}

/// The text and the number of words as one JSON; returns how many answers were
/// wrong.
int SendJson(httplib::Client& client) {
  const httplib::Result right = client.Post(
      "/words", R"({"top": 1, "text": "one two two"})", "application/json");
  const httplib::Result wrong = client.Post(
      "/words", R"({"top": "one", "text": ""})", "application/json");
  constexpr const char* kAnswer = R"({"words":3,"different":2,"longest":"two",)"
                                  R"("top":[{"word":"two","count":2}]})";
  constexpr const char* kWhy =
      "top: expected uint32, found \"one\" (line 1, column 9)\n";
  return !(right && right->body == kAnswer) +
         !(wrong && wrong->status == 400 && wrong->body == kWhy);
}

/// Sends requests of different sizes; returns how many answers were wrong.
int SendRequests(int port, int seed) {
  httplib::Client client("127.0.0.1", port);
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);
  int wrong = 0;
  for (int i = 0; i < kRequests; ++i) {
    const int words = 1 + (seed + 7 * i) % 60;
    const httplib::Result result =
        client.Post("/words?top=1", TextOf(words), "text/plain");
    wrong += !IsRightAnswer(result, words);
  }
  const httplib::Result refused =
      client.Post("/words?top=many", "text", "text/plain");
  return wrong + !(refused && refused->status == 400) + SendForms(client) +
         SendJson(client);
}

int SelfTest() {
  web::WordServer server;
  const int port = server.Bind(0);
  if (port < 0) {
    fmt::print(stderr, "http_server: cannot listen on 127.0.0.1\n");
    return 1;
  }
  std::thread serving([&] { server.Run(); });
  std::atomic<int> wrong{0};
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> clients;
  clients.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    clients.emplace_back([&, t] { wrong += SendRequests(port, t); });
  }
  for (std::thread& client : clients) client.join();
  const std::chrono::duration<double> time =
      std::chrono::steady_clock::now() - start;
  server.Stop();
  serving.join();
  const acre::ArenaPoolStats arenas = server.arenas();
  fmt::print("{} requests from {} threads in {:.2f} s, {} wrong answers\n",
             kThreads * (kRequests + kOthers), kThreads, time.count(),
             wrong.load());
  fmt::print("{} arenas made, {} idle, {} leased\n", arenas.made, arenas.idle,
             arenas.leased);
  return wrong == 0 && arenas.leased == 0 ? 0 : 1;
}

int Serve(int port) {
  web::WordServer server;
  const int bound = server.Bind(port);
  if (bound < 0) {
    fmt::print(stderr, "http_server: cannot listen on port {}\n", port);
    return 1;
  }
  fmt::print("Serving on http://127.0.0.1:{}/words\n", bound);
  std::fflush(stdout);
  server.Run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (argc == 2 && verb == "--help") {
    fmt::print("{}", kUsage);
    return 0;
  }
  if (argc == 2 && verb == "--self-test") return SelfTest();
  int port = -1;
  if (argc == 3 && verb == "--port") {
    const std::string_view text = argv[2];
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), port);
    const bool is_number =
        error == std::errc() && end == text.data() + text.size();
    if (is_number && port >= 0 && port <= 65535) return Serve(port);
    fmt::print(stderr, "http_server: '{}' is not a port\n", text);
    return 2;
  }
  fmt::print(stderr, "{}", kUsage);
  return 2;
}
