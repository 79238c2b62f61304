#pragma once
// A fiber: a call stack of its own that is left and re-entered at will. Each simulated thread runs on one.
// The sanitizers are told of every switch.

#include <cstddef>

namespace xf::simt {

/// Runs `work` once per round: resume() enters it, and comes back when it calls suspend() or returns; the
/// resume() after its return starts it anew. `work` must not throw.
class Fiber {
 public:
  using Work = void (*)();

  /// Throws std::bad_alloc.
  explicit Fiber(Work work);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Called from outside the fiber.
  void resume();
  /// Called on the fiber.
  void suspend();

 private:
  struct State;
  State* state_;
};

/// For the race detector, which follows no order but what it is told: what was done before an
/// announce(tag) happened before what follows an observe(tag). Without ThreadSanitizer they do nothing.
void announce(void* tag);
void observe(void* tag);

}  // namespace xf::simt
