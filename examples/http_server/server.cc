// SPDX-License-Identifier: MIT

#include "server.h"

#include <acre/arena_binding.h>
#include <acre/chunk_source.h>
#include <acre/from_json.h>
#include <acre/to_json.h>

#include <charconv>
#include <string>

#include "words.h"

namespace web {
namespace {

constexpr std::size_t kDefaultTop = 10;
constexpr std::size_t kMaxBody = std::size_t{64} << 20;  // 413 beyond

/// False where `text` is not a number.
bool ParseTop(const std::string& text, std::size_t& top) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, top);
  return error == std::errc() && at == end;
}

/// The body as it is, whatever its type says; of a form with files, all parts.
/// Left to itself the library would take the body of a form, as curl calls any
/// data, for parameters: of 8 KiB at most, and stronger than the query's. False
/// where it cannot be read; the status is set.
bool ReadBody(const httplib::Request& request,
              const httplib::ContentReader& reader, std::string& body) {
  const auto append = [&](const char* data, std::size_t size) {
    body.append(data, size);
    return true;
  };
  if (!request.is_multipart_form_data()) return reader(append);
  return reader([](const httplib::MultipartFormData&) { return true; }, append);
}

}  // namespace

// Chunks from malloc: the server's threads are not the collector's, and there
// is nothing for it in an arena.
WordServer::WordServer()
    : pool_({.arena = {.name = "request",
                       .source = &acre::MallocSource::Instance()}}) {
  server_.set_tcp_nodelay(true);
  server_.set_payload_max_length(kMaxBody);
  server_.Post("/words", [this](const httplib::Request& request,
                                httplib::Response& response,
                                const httplib::ContentReader& reader) {
    std::string text;
    if (ReadBody(request, reader, text)) Answer(request, text, response);
  });
}

int WordServer::Bind(int port) {
  if (port == 0) return server_.bind_to_any_port("127.0.0.1");
  return server_.bind_to_port("127.0.0.1", port) ? port : -1;
}

void WordServer::Run() { server_.listen_after_bind(); }
void WordServer::Stop() { server_.stop(); }

void WordServer::Answer(const httplib::Request& request,
                        const std::string& body, httplib::Response& response) {
  const auto refuse = [&](const std::string& why) {
    response.status = 400;
    response.set_content(why + '\n', "text/plain");
  };
  std::size_t top = kDefaultTop;
  if (request.has_param("top") &&
      !ParseTop(request.get_param_value("top"), top)) {
    return refuse("\"top\" is not a number");
  }
  const acre::ArenaPool::Lease arena = pool_.Acquire();
  const acre::ArenaBinding bound(*arena);
  std::string_view text = body;
  if (request.get_header_value("Content-Type") == "application/json") {
    const acre::JsonOr<Question*> question =
        acre::FromJson<Question>(*arena, body);
    if (!question) return refuse(question.error().text());
    text = question->text.view();
    if (question->top) top = *question->top;
  }
  const acre::JsonOr<std::string> answer = acre::ToJson(*CountWords(text, top));
  if (!answer) return refuse(answer.error().text());
  response.set_content(*answer, "application/json");
}

}  // namespace web
