#include "kernels/simt/runtime.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "engine/core/rng.h"
#include "kernels/simt/block.h"
#include "kernels/simt/counter.h"
#include "kernels/simt/fiber.h"
#include "kernels/simt/launch.h"

uint3 threadIdx{}, blockIdx{};
dim3 blockDim{}, gridDim{};

namespace xf::simt {

Block* block = nullptr;
Thread* current = nullptr;

namespace {

constexpr size_t kMaxThreads = 1024;
constexpr size_t kMaxShared = size_t{48} << 10;  // what a launch gets without asking for more

// Thrown on every waiting thread once a launch has failed, so that each stack unwinds.
struct Abandoned {};

Schedule schedule;
Queue queue = nullptr;
const std::function<void()>* kernel = nullptr;
std::exception_ptr error;  // the first of this launch
char launch_tag, done_tag;

void check_return() {
  if (block->arrived > 0) {
    const Thread& first = *block->first_arrived;
    fail(fmt::format("returns while {} waits in {}", who(first), describe(first.wait)));
  }
  for (const Thread& other : warp_of(*current)) {
    if (other.state == State::in_warp && (other.mask >> lane() & 1U) != 0) {
      fail(fmt::format("returns while {} waits for it in {}", who(other), describe(other.wait)));
    }
  }
}

// One thread from its first line to its last.
void work() {
  observe(&launch_tag);
  try {
    (*kernel)();
    check_return();
  } catch (const Abandoned&) {  // the error is known already
  } catch (...) {
    if (!error) error = std::current_exception();
  }
  current->state = State::done;
  ++block->done;
  announce(&done_tag);
}

// Fibers outlive launches: their stacks are mapped once.
Fiber& fiber_of(const Thread& thread) {
  static std::vector<std::unique_ptr<Fiber>> fibers;
  while (fibers.size() <= thread.linear) fibers.push_back(std::make_unique<Fiber>(work));
  return *fibers[thread.linear];
}

void resume(Thread& thread) {
  current = &thread;
  threadIdx = thread.index;
  fiber_of(thread).resume();
}

[[noreturn]] void throw_deadlock() {
  std::string waits;
  for (const State state : {State::at_barrier, State::in_warp}) {
    const auto first = std::ranges::find(block->threads, state, &Thread::state);
    if (first == block->threads.end()) continue;
    waits += fmt::format("{}{} waits in {}", waits.empty() ? "" : "; ", who(*first), describe(first->wait));
    if (state == State::in_warp) waits += fmt::format(" for the lanes {:#010x}", first->mask);
    const auto others = std::ranges::count(block->threads, state, &Thread::state) - 1;
    if (others > 0) waits += fmt::format(" (and {} threads more)", others);
  }
  throw KernelError("deadlock", waits);
}

// Positions 0 … count-1 in the schedule's order.
std::vector<unsigned> ordered(size_t count, Rng& rng) {
  std::vector<unsigned> order(count);
  std::iota(order.begin(), order.end(), 0U);
  if (schedule.order == Order::reverse) std::ranges::reverse(order);
  if (schedule.order == Order::random) rng.shuffle(order);
  return order;
}

// Gives each ready thread of `order` a turn. Whether there was one.
bool give_turns(std::span<const unsigned> order) {
  bool moved = false;
  for (const unsigned i : order) {
    Thread& thread = block->threads[i];
    if (thread.state != State::ready) continue;
    moved = true;
    resume(thread);
    if (error) break;
  }
  return moved;
}

void run_threads(Rng& rng) {
  std::vector<unsigned> order = ordered(block->threads.size(), rng);
  const std::span<const unsigned> all(order);
  const size_t together = schedule.order == Order::warp_by_warp ? kWarp : order.size();
  while (block->done < block->threads.size()) {
    if (schedule.order == Order::random) rng.shuffle(order);
    bool moved = false;
    for (size_t first = 0; first < all.size(); first += together) {
      const auto some = all.subspan(first, std::min(together, all.size() - first));
      while (give_turns(some)) {
        if (error) return;
        moved = true;
        if (schedule.order != Order::warp_by_warp) break;
      }
    }
    if (!moved) throw_deadlock();
  }
}

void unwind_threads() {
  for (Thread& thread : block->threads) {
    if (thread.state != State::done && thread.wait.operation != nullptr) resume(thread);
  }
}

uint3 position(size_t linear, dim3 extent) {
  return {static_cast<unsigned>(linear % extent.x), static_cast<unsigned>(linear / extent.x % extent.y),
          static_cast<unsigned>(linear / extent.x / extent.y)};
}

void run_block(unsigned number, size_t dynamic_shared_bytes, Rng& rng) {
  const auto running = std::make_unique<Block>();
  running->index = blockIdx = position(number, gridDim);
  running->dynamic_shared_bytes = dynamic_shared_bytes;
  running->threads.resize(size_t{blockDim.x} * blockDim.y * blockDim.z);
  for (unsigned t = 0; t < running->threads.size(); ++t) {
    running->threads[t].linear = t;
    running->threads[t].index = position(t, blockDim);
  }
  block = running.get();
  try {
    run_threads(rng);
  } catch (...) {
    error = std::current_exception();
  }
  if (error) unwind_threads();
  observe(&done_tag);
  if (counting) count_block();
  block = nullptr;
  if (error) std::rethrow_exception(std::exchange(error, nullptr));
}

bool launchable(dim3 grid, dim3 threads) {
  const size_t count = size_t{threads.x} * threads.y * threads.z;
  return count != 0 && count <= kMaxThreads && threads.z <= 64 && grid.x != 0 && grid.x < 1U << 31 &&
         grid.y != 0 && grid.y < 1U << 16 && grid.z != 0 && grid.z < 1U << 16;
}

void run_grid(const void* function, dim3 grid, dim3 threads, size_t dynamic_shared_bytes,
              const std::function<void()>& thread) {
  if (block != nullptr) throw InternalError("launch", "a kernel runs already");
  if (counting) count_launch(function);
  kernel = &thread;
  gridDim = grid;
  blockDim = threads;
  announce(&launch_tag);
  Rng rng(schedule.seed);
  for (const unsigned number : ordered(size_t{grid.x} * grid.y * grid.z, rng)) {
    run_block(number, dynamic_shared_bytes, rng);
  }
}

}  // namespace

void set_schedule(Schedule s) { schedule = s; }
void set_queue(Queue q) { queue = q; }

void suspend(State state) {
  current->state = state;
  fiber_of(*current).suspend();
  if (error) throw Abandoned{};
}

cudaError_t submit(const void* function, dim3 grid, dim3 threads, size_t dynamic_shared_bytes,
                   cudaStream_t stream, std::function<void()> thread) {
  if (!launchable(grid, threads)) return cudaErrorInvalidConfiguration;
  if (dynamic_shared_bytes > kMaxShared) return cudaErrorInvalidValue;
  if (queue == nullptr) {
    run_grid(function, grid, threads, dynamic_shared_bytes, thread);
  } else {
    queue(stream, [=, thread = std::move(thread)] {
      run_grid(function, grid, threads, dynamic_shared_bytes, thread);
    });
  }
  return cudaSuccess;
}

void* shared_variable(const void* key, size_t bytes) {
  Shared& variable = block->shared[key];
  if (variable.memory) {
    observe(&variable);
    return variable.memory.get();
  }
  size_t total = bytes;
  for (const auto& [other, shared] : block->shared) total += shared.bytes;
  if (total > kMaxShared)
    fail(fmt::format("takes {} bytes of shared memory, more than {}", total, kMaxShared));
  variable.memory.reset(::operator new (bytes, std::align_val_t{16}));
  variable.bytes = bytes;
  std::memset(variable.memory.get(), 0xFF, bytes);
  announce(&variable);
  return variable.memory.get();
}

void* dynamic_shared() { return shared_variable(&block->dynamic_shared_bytes, block->dynamic_shared_bytes); }

}  // namespace xf::simt
