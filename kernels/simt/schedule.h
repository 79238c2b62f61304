#pragma once
// Which thread of a kernel goes first on the CPU.

#include <cstdint>

namespace xf::simt {

/// The order in which blocks, and the ready threads of a block, take their turns. A missing barrier often
/// shows in one order alone: tests run them all.
enum class Order : uint8_t {
  forward,
  reverse,
  random,
  warp_by_warp,  ///< forward, and each warp goes as far as it can before the next one moves
};

struct Schedule {
  Order order = Order::forward;
  uint64_t seed = 1;  ///< of Order::random
};

/// Holds for the launches that follow.
void set_schedule(Schedule schedule);

}  // namespace xf::simt
