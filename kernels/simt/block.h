#pragma once
// Inside of the runtime: the block that runs, and its threads.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "kernels/simt/runtime.h"

namespace xf::simt {

constexpr unsigned kWarp = 32;

enum class State : uint8_t { ready, at_barrier, in_warp, done };

/// What a thread waits in.
struct Wait {
  const char* operation = nullptr;
  Site site;
};

struct Thread {
  uint3 index{};
  unsigned linear = 0;
  State state = State::ready;
  Wait wait;                             ///< the latest; no operation: has not waited yet
  unsigned mask = 0;                     ///< the lanes that an exchange waits for
  uint64_t value = 0;                    ///< what this lane gives to an exchange
  std::array<uint64_t, kWarp> values{};  ///< what the last exchange gave
  int vote = 0;                          ///< what the last barrier gave
  unsigned phase = 0;                    ///< barriers and exchanges of its whole warp that it has passed
};

struct FreeShared {
  void operator()(void* memory) const { ::operator delete (memory, std::align_val_t{16}); }
};

/// A shared variable: an allocation of its own, which AddressSanitizer guards.
struct Shared {
  std::unique_ptr<void, FreeShared> memory;
  size_t bytes = 0;
};

struct Block {
  uint3 index{};
  std::vector<Thread> threads;
  size_t done = 0;
  std::map<const void*, Shared> shared;
  size_t dynamic_shared_bytes = 0;
  // The barrier that threads are gathering at.
  size_t arrived = 0;
  const Thread* first_arrived = nullptr;
  int votes = 0;
  // What the race detector knows barriers and warps by.
  char barrier_tag = 0;
  std::array<char, kWarp> warp_tags{};
};

extern Block* block;     ///< the one that runs; none outside of launches
extern Thread* current;  ///< the one of its threads that runs

/// Leaves the current thread in `state` and lets others run. Unwinds it when the launch has failed meanwhile.
void suspend(State state);

/// The threads of a thread's warp, by lane; fewer than 32 at the end of some blocks.
std::span<Thread> warp_of(const Thread& thread);

/// "block (0,0,0) thread (3,0,0)".
std::string who(const Thread& thread);
/// "__syncthreads at bn_act.cu:42".
std::string describe(const Wait& wait);

}  // namespace xf::simt
