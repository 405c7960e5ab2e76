// SPDX-License-Identifier: MIT
//
// Types registered with Boost.Describe are checked as any other. Describe knows
// no plain data: the lie is told elsewhere, in ACRE_PLAIN.
//
// EXPECT: described::Player.at.owner: hidden pointer: the layout says plain data, the compiler pointer to described::Base at offset 32 (struct Player : Base {)
// EXPECT: 3 layouts, 1 disagreements

#include <acre/describe.h>
#include <acre/element.h>

#include <cstdint>

namespace described {

struct Base {
  std::int64_t id;
};
BOOST_DESCRIBE_STRUCT(Base, (), (id))

struct Place {
  double x;
  Base* owner;
};

struct Player : Base {
  Player* target;
  std::int32_t hp;
  Place at;
};
BOOST_DESCRIBE_STRUCT(Player, (Base), (target, hp, at))

}  // namespace described

ACRE_PLAIN(described::Place);

int main(int argc, char**) {
  const acre::TypeLayout* const layouts[] = {
      &acre::LayoutOf<described::Base>(), &acre::LayoutOf<described::Player>()};
  return layouts[argc]->size == 0 ? 1 : 0;
}
