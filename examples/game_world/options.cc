// SPDX-License-Identifier: MIT

#include "options.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace game {
namespace {

constexpr std::int32_t kMaxTics = 1'000'000;
constexpr std::int32_t kMaxBack = 1'000;

bool ParseNumber(std::string_view word, std::int32_t& number) {
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, number);
  return error == std::errc() && stop == end && number >= 0 &&
         number <= kMaxTics;
}

std::string TakeTics(std::string_view word, Options& options) {
  if (ParseNumber(word, options.tics)) return {};
  return fmt::format("--tics takes a number from 0 to {}, not '{}'", kMaxTics,
                     word);
}

std::string TakeBack(std::string_view option, std::string_view word,
                     std::int32_t& back) {
  if (ParseNumber(word, back) && back >= 1 && back <= kMaxBack) return {};
  return fmt::format("{} takes a number from 1 to {}, not '{}'", option,
                     kMaxBack, word);
}

/// The word behind an option that takes one; what is wrong with it, or nothing.
std::string TakeValue(std::string_view option, std::string_view value,
                      Options& options) {
  if (option == "--tics") return TakeTics(value, options);
  if (option == "--rollback") return TakeBack(option, value, options.rollback);
  if (option == "--sync-test") {
    return TakeBack(option, value, options.sync_test);
  }
  std::string& file = option == "--wad"    ? options.wad
                      : option == "--json" ? options.json
                      : option == "--save" ? options.save
                      : option == "--load" ? options.load
                                           : options.from_json;
  file = value;
  return value.empty() ? fmt::format("{} takes the name of a file", option)
                       : "";
}

bool TakesValue(std::string_view word) {
  return word == "--wad" || word == "--tics" || word == "--json" ||
         word == "--from-json" || word == "--save" || word == "--load" ||
         word == "--rollback" || word == "--sync-test";
}

}  // namespace

Options ParseOptions(std::span<char* const> words) {
  Options options;
  for (std::size_t i = 0; i < words.size() && options.error.empty(); ++i) {
    const std::string_view word = words[i];
    if (word == "--help") {
      options.help = true;
    } else if (word == "--generated") {
      options.generated = true;
    } else if (word == "--desync") {
      options.desync = true;
    } else if (!TakesValue(word)) {
      options.error = fmt::format("unknown option '{}'", word);
    } else if (++i == words.size()) {
      options.error = fmt::format("{} needs a value", word);
    } else {
      options.error = TakeValue(word, words[i], options);
    }
  }
  if (options.error.empty() && options.generated && !options.wad.empty()) {
    options.error = "--wad and --generated exclude each other";
  }
  if (options.error.empty() && !options.from_json.empty() &&
      (options.generated || !options.wad.empty())) {
    options.error = "--from-json takes the place of --wad and --generated";
  }
  if (options.error.empty() &&
      (options.rollback != 0) + (options.sync_test != 0) + options.desync +
              !options.save.empty() + !options.load.empty() >
          1) {
    options.error =
        "--rollback, --sync-test, --desync, --save and --load exclude each "
        "other";
  }
  return options;
}

const char* Usage() {
  return "usage: game_world [--wad FILE | --generated | --from-json FILE]\n"
         "                  [--json FILE] [--tics N]\n"
         "                  [--rollback N | --sync-test N | --desync |\n"
         "                   --save FILE | --load FILE]\n"
         "\n"
         "Loads every level of a Doom-format WAD into one arena, plays it,\n"
         "audits it, and compares the cost of collections.\n"
         "\n"
         "  --wad FILE    the WAD; otherwise freedoom2.wad or freedoom1.wad\n"
         "                in /usr/share/games/doom, otherwise generated "
         "levels\n"
         "  --generated   generated levels, whatever is installed\n"
         "  --from-json FILE  the world that --json wrote\n"
         "  --json FILE   writes the world, before it is played\n"
         "  --tics N      how long to play, in 35ths of a second (3000)\n"
         "  --rollback N  plays once, and at every tic goes N tics back and\n"
         "                plays them again, with an input that came late\n"
         "  --sync-test N plays every tic again, N tics later, and compares\n"
         "                checksums\n"
         "  --desync      plays two worlds, spoils one, and finds where\n"
         "  --save FILE   saves the world to be mapped back, and plays once\n"
         "  --load FILE   maps what --save wrote, and plays it\n"
         "  --help        this text\n"
         "\n"
         "Exit status: 0 as expected, 1 bad input or an unexpected result,\n"
         "2 bad usage.\n";
}

}  // namespace game
