#include "kernels/simt/fiber.h"

#include <sys/mman.h>

#include <boost/context/detail/fcontext.hpp>
#include <memory>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define XF_SIMT_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define XF_SIMT_ASAN 1
#endif
#if defined(XF_SIMT_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif
// This file itself is built without -fsanitize=thread, so that the scheduler's own bookkeeping is not taken
// for the kernel's; the build says so when the kernels are instrumented.
#if defined(XF_SIMT_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace xf::simt {
namespace {

namespace context = boost::context::detail;

constexpr size_t kGuardBytes = 4096;
constexpr size_t kStackBytes = size_t{256} << 10;  // AddressSanitizer's frames are several times larger

// The two sanitizers' view of one side of a switch.
struct Side {
  const void* stack = nullptr;
  size_t stack_bytes = 0;
  void* fake_stack = nullptr;
  void* race_context = nullptr;
};

void before_switch([[maybe_unused]] Side& from, [[maybe_unused]] const Side& to) {
#if defined(XF_SIMT_TSAN)
  __tsan_switch_to_fiber(to.race_context, __tsan_switch_to_fiber_no_sync);
#endif
#if defined(XF_SIMT_ASAN)
  __sanitizer_start_switch_fiber(&from.fake_stack, to.stack, to.stack_bytes);
#endif
}

// `other` is the side that was left; its stack is learned here.
void after_switch([[maybe_unused]] Side& here, [[maybe_unused]] Side& other) {
#if defined(XF_SIMT_ASAN)
  __sanitizer_finish_switch_fiber(here.fake_stack, &other.stack, &other.stack_bytes);
#endif
}

}  // namespace

struct Fiber::State {
  Fiber* fiber;
  Work work;
  void* mapping;
  context::fcontext_t inside_context, outside_context = nullptr;
  Side inside, outside;

  static void enter(context::transfer_t from) {
    State& state = *static_cast<State*>(from.data);
    state.outside_context = from.fctx;
    after_switch(state.inside, state.outside);
    for (;;) {
      state.work();
      state.fiber->suspend();
    }
  }
};

Fiber::Fiber(Work work) {
  void* mapping = mmap(nullptr, kStackBytes + kGuardBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  mprotect(mapping, kGuardBytes, PROT_NONE);  // an overflowing stack faults instead of running on
  auto* stack = static_cast<char*>(mapping) + kGuardBytes;
  state_ = new State{
      this,    work, mapping, context::make_fcontext(stack + kStackBytes, kStackBytes, State::enter),
      nullptr, {},   {}};
  state_->inside.stack = stack;
  state_->inside.stack_bytes = kStackBytes;
#if defined(XF_SIMT_TSAN)
  state_->inside.race_context = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
#if defined(XF_SIMT_TSAN)
  __tsan_destroy_fiber(state_->inside.race_context);
#endif
  munmap(state_->mapping, kStackBytes + kGuardBytes);
  delete state_;
}

void Fiber::resume() {
#if defined(XF_SIMT_TSAN)
  state_->outside.race_context = __tsan_get_current_fiber();
#endif
  before_switch(state_->outside, state_->inside);
  state_->inside_context = context::jump_fcontext(state_->inside_context, state_).fctx;
  after_switch(state_->outside, state_->inside);
}

void Fiber::suspend() {
  before_switch(state_->inside, state_->outside);
  state_->outside_context = context::jump_fcontext(state_->outside_context, state_).fctx;
  after_switch(state_->inside, state_->outside);
}

void announce([[maybe_unused]] void* tag) {
#if defined(XF_SIMT_TSAN)
  __tsan_release(tag);
#endif
}

void observe([[maybe_unused]] void* tag) {
#if defined(XF_SIMT_TSAN)
  __tsan_acquire(tag);
#endif
}

}  // namespace xf::simt
