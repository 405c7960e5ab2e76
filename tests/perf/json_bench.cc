// SPDX-License-Identifier: MIT
//
// JSON read into structs, into values of any shape, and written. Nanoseconds a
// byte of text; bytes of memory a byte of text. Documents of 2 MB: records of
// numbers and texts, coordinates as in GeoJSON, plain doubles, and a catalogue
// of nested maps and texts. "simdjson, DOM alone" parses and builds nothing for
// its user. Parsers are kept from one pass to the next, buffers are warm.

#include <simdjson.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "acre/chunk_source.h"
#include "acre/json.h"
#include "acre/map.h"
#include "acre/vector.h"
#include "perf.h"

#ifdef ACRE_PERF_RAPIDJSON
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#endif
#ifdef ACRE_PERF_NLOHMANN
#include <nlohmann/json.hpp>
#endif
#ifdef ACRE_PERF_BOOST_JSON
#include <boost/json/src.hpp>
#endif

namespace perf {
namespace {

struct Record {
  std::int64_t id = 0;
  std::int64_t count = 0;
  double x = 0;
  double y = 0;
  double z = 0;
  acre::String name;
  acre::String text;
  bool on = false;
  std::array<double, 4> more{};
};
ACRE_LAYOUT(Record, id, count, x, y, z, name, text, on, more)

struct Event {
  acre::String title;
  acre::String place;
  std::int64_t begins = 0;
  acre::Vector<std::int64_t> topics;
};
ACRE_LAYOUT(Event, title, place, begins, topics)

struct Catalogue {
  acre::Map<acre::String, Event> events;
  acre::Map<acre::String, acre::String> topics;
};
ACRE_LAYOUT(Catalogue, events, topics)

// ------------------------------------------------------------------ documents

std::size_t Size() { return BySmoke<std::size_t>(2000, 2000000); }

double Real(Random& random) {
  return static_cast<double>(random.Next() >> 11) * 0x1p-53 * 360 - 180;
}

template <class... Args>
void Print(std::string& text, const char* format, Args... args) {
  char room[500];
  std::snprintf(room, sizeof room, format, args...);
  text += room;
}

std::string Records() {
  Random random(1);
  std::string text = "[";
  while (text.size() < Size()) {
    if (text.size() > 1) text += ",\n";
    const auto number = [&] {
      return static_cast<long long>(random.Next() >> 20);
    };
    const long long id = number();
    const int count = static_cast<int>(random.Below(100000));
    Print(text, R"({"id":%lld,"count":%d,"x":%.17g,"y":%.3f,"z":%.8g,)", id,
          count, Real(random), Real(random), Real(random));
    Print(text, R"("name":"thing number %d","text":"a \"text\", %llx%llx",)",
          static_cast<int>(random.Below(1000)),
          static_cast<unsigned long long>(random.Next()),
          static_cast<unsigned long long>(random.Next()));
    Print(text, R"("on":%s,"more":[%.4f,%.6g,%.12g,%.2f]})",
          random.Below(2) == 0 ? "true" : "false", Real(random), Real(random),
          Real(random), Real(random));
  }
  return text + "]";
}

std::string Coordinates() {
  Random random(2);
  std::string text = "[";
  while (text.size() < Size()) {
    if (text.size() > 1) text += ',';
    Print(text, "[%.15g,%.15g]", Real(random), Real(random) / 2);
  }
  return text + "]";
}

std::string Doubles() {
  Random random(3);
  std::string text = "[";
  while (text.size() < Size()) {
    if (text.size() > 1) text += ',';
    Print(text, "%.17g", Real(random));
  }
  return text + "]";
}

std::string Events() {
  Random random(4);
  std::string text = R"({"events":{)";
  for (int i = 0; text.size() < Size(); ++i) {
    if (i != 0) text += ',';
    Print(text, R"("%d":{"title":"Concert of %llx","place":"Hall %d",)",
          138586341 + i, static_cast<unsigned long long>(random.Next()),
          static_cast<int>(random.Below(30)));
    Print(text, R"("begins":%d,"topics":[%d,%d,%d]})",
          1372701600 + static_cast<int>(random.Below(10000000)),
          static_cast<int>(random.Below(100)),
          static_cast<int>(random.Below(100)),
          static_cast<int>(random.Below(100)));
  }
  text += R"(},"topics":{)";
  for (int i = 0; i < 100; ++i) {
    if (i != 0) text += ',';
    Print(text, R"("%d":"topic number %d")", i, i);
  }
  return text + "}}";
}

// ---------------------------------------------------------------------- cells

using Pass = std::function<void()>;

/// `make` prepares what a pass needs and keeps.
void AddPasses(const std::string& cell, const char* implementation,
               std::size_t bytes, const std::function<Pass()>& make) {
  Add("json", cell, implementation,
      [=](benchmark::State& state) {
        const Pass pass = make();
        for (int i = 0; i < 2; ++i) pass();
        for ([[maybe_unused]] auto _ : state) {
          state.SetIterationTime(Seconds(pass));
        }
        state.SetItemsProcessed(state.iterations() *
                                static_cast<std::int64_t>(bytes));
      },
      {.passes = BySmoke(1, 5), .by_body = true});
}

using Text = std::shared_ptr<simdjson::padded_string>;

template <class T>
Pass ReadWithAcre(const Text& text) {
  struct State {
    acre::Arena arena{{.source = &acre::MallocSource::Instance()}};
    acre::JsonReader reader;
  };
  return [text, state = std::make_shared<State>()] {
    state->arena.Reset();
    const std::string_view view(text->data(), text->size());
    Sink(state->reader.template Read<T>(state->arena, view).value());
  };
}

Pass ReadWithSimdjson(const Text& text) {
  return [text, parser = std::make_shared<simdjson::dom::parser>()] {
    simdjson::dom::element root;
    if (parser->parse(*text).get(root) != simdjson::SUCCESS) std::abort();
    Sink(&root);
  };
}

template <class T>
Pass WriteWithAcre(const Text& text) {
  struct State {
    acre::Arena arena;
    T* value = nullptr;
    std::string out;
  };
  auto state = std::make_shared<State>();
  const std::string_view view(text->data(), text->size());
  state->value = acre::FromJson<T>(state->arena, view).value();
  return [state] {
    state->out.clear();
    if (acre::WriteJson(*state->value, state->out)) std::abort();
    Sink(state->out.data());
  };
}

#ifdef ACRE_PERF_RAPIDJSON
void Parse(rapidjson::Document& document, const Text& text) {
  document.Parse<rapidjson::kParseFullPrecisionFlag>(text->data(),
                                                     text->size());
  if (document.HasParseError()) std::abort();
}

Pass ReadWithRapidjson(const Text& text) {
  return [text] {
    rapidjson::Document document;
    Parse(document, text);
    Sink(&document);
  };
}

Pass WriteWithRapidjson(const Text& text) {
  struct State {
    rapidjson::Document document;
    rapidjson::StringBuffer out;
  };
  auto state = std::make_shared<State>();
  Parse(state->document, text);
  return [state] {
    state->out.Clear();
    rapidjson::Writer<rapidjson::StringBuffer> writer(state->out);
    state->document.Accept(writer);
    Sink(state->out.GetString());
  };
}
#endif

#ifdef ACRE_PERF_NLOHMANN
struct StdRecord {
  std::int64_t id, count;
  double x, y, z;
  std::string name, text;
  bool on;
  std::array<double, 4> more;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(StdRecord, id, count, x, y, z, name, text, on,
                                 more)
};
struct StdEvent {
  std::string title, place;
  std::int64_t begins;
  std::vector<std::int64_t> topics;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(StdEvent, title, place, begins, topics)
};
struct StdCatalogue {
  std::unordered_map<std::string, StdEvent> events;
  std::unordered_map<std::string, std::string> topics;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(StdCatalogue, events, topics)
};

template <class T>
Pass ReadWithNlohmann(const Text& text) {
  return [text] {
    const std::string_view view(text->data(), text->size());
    const T value = nlohmann::json::parse(view).get<T>();
    Sink(&value);
  };
}

Pass WriteWithNlohmann(const Text& text) {
  const std::string_view view(text->data(), text->size());
  auto value = std::make_shared<nlohmann::json>(nlohmann::json::parse(view));
  return [value] { Sink(value->dump().data()); };
}
#endif

#ifdef ACRE_PERF_BOOST_JSON
Pass ReadWithBoost(const Text& text) {
  return [text, room = std::make_shared<std::vector<unsigned char>>(16 << 20)] {
    boost::json::monotonic_resource memory(room->data(), room->size());
    const boost::json::string_view view(text->data(), text->size());
    const boost::json::value value = boost::json::parse(view, &memory);
    Sink(&value);
  };
}

/// What it asks for, without what it gives back.
class CountingMemory final : public boost::json::memory_resource {
 public:
  std::size_t bytes() const { return bytes_; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t align) override {
    bytes_ += bytes;
    return ::operator new (bytes, std::align_val_t{align});
  }
  void do_deallocate(void* block, std::size_t bytes,
                     std::size_t align) override {
    bytes_ -= bytes;
    ::operator delete (block, std::align_val_t{align});
  }
  bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }

  std::size_t bytes_ = 0;
};
#endif

void AddMemory(const std::string& document, const Text& text) {
  const std::string cell = document + " bytes";
  const auto a_byte_of_text = [text](std::size_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(text->size());
  };
  Add("json", cell, "acre::Json", [=](benchmark::State& state) {
    acre::Arena arena;
    const std::string_view view(text->data(), text->size());
    Sink(acre::FromJson<acre::Json>(arena, view).value());
    for ([[maybe_unused]] auto _ : state) {
    }
    Report(state, a_byte_of_text(arena.stats().live()));
  });
#ifdef ACRE_PERF_BOOST_JSON
  Add("json", cell, "Boost.JSON", [=](benchmark::State& state) {
    CountingMemory memory;
    const boost::json::string_view view(text->data(), text->size());
    const boost::json::value value = boost::json::parse(view, &memory);
    for ([[maybe_unused]] auto _ : state) {
    }
    Report(state, a_byte_of_text(memory.bytes()));
  });
#endif
}

template <class T, class StdT>
void AddDocument(const std::string& name, const std::string& document) {
  const auto text = std::make_shared<simdjson::padded_string>(document);
  const std::size_t bytes = document.size();
  std::string cell = name + ", to structs";
  AddPasses(cell, "acre::FromJson", bytes,
            [=] { return ReadWithAcre<T>(text); });
  AddPasses(cell, "simdjson, DOM alone", bytes,
            [=] { return ReadWithSimdjson(text); });
#ifdef ACRE_PERF_RAPIDJSON
  AddPasses(cell, "RapidJSON, exact DOM", bytes,
            [=] { return ReadWithRapidjson(text); });
#endif
#ifdef ACRE_PERF_NLOHMANN
  AddPasses(cell, "nlohmann", bytes,
            [=] { return ReadWithNlohmann<StdT>(text); });
#endif
  cell = name + ", to values";
  AddPasses(cell, "acre::Json", bytes,
            [=] { return ReadWithAcre<acre::Json>(text); });
  AddPasses(cell, "simdjson, DOM alone", bytes,
            [=] { return ReadWithSimdjson(text); });
#ifdef ACRE_PERF_BOOST_JSON
  AddPasses(cell, "Boost.JSON, monotonic", bytes,
            [=] { return ReadWithBoost(text); });
#endif
  cell = name + ", written";
  AddPasses(cell, "acre::ToJson", bytes,
            [=] { return WriteWithAcre<T>(text); });
#ifdef ACRE_PERF_RAPIDJSON
  AddPasses(cell, "RapidJSON, Writer", bytes,
            [=] { return WriteWithRapidjson(text); });
#endif
#ifdef ACRE_PERF_NLOHMANN
  AddPasses(cell, "nlohmann", bytes, [=] { return WriteWithNlohmann(text); });
#endif
  AddMemory(name, text);
}

#ifndef ACRE_PERF_NLOHMANN
using StdRecord = void;
using StdCatalogue = void;
#endif

}  // namespace

void DefineCells() {
  AddDocument<acre::Vector<Record>, std::vector<StdRecord>>("records",
                                                            Records());
  AddDocument<acre::Vector<std::array<double, 2>>,
              std::vector<std::array<double, 2>>>("coordinates", Coordinates());
  AddDocument<acre::Vector<double>, std::vector<double>>("doubles", Doubles());
  AddDocument<Catalogue, StdCatalogue>("catalogue", Events());
}

}  // namespace perf
