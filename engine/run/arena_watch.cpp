#include "engine/run/arena_watch.h"

#include <algorithm>
#include <vector>

#include "engine/core/error.h"

namespace xf {

namespace {
constexpr std::byte kPoison{0xFF};
}

void ArenaWatch::poison(std::byte* to, size_t bytes) const {
  const std::vector<std::byte> pattern(bytes, kPoison);
  Stream& stream = backend_.stream(Lane::compute);
  backend_.upload(stream, to, pattern.data(), bytes);
  stream.synchronize();
}

void ArenaWatch::begin(std::byte* arena) const { poison(arena, plan_.arena_bytes); }

void ArenaWatch::after(int step, std::byte* arena) const {
  for (const ArenaSpan& span : plan_.spans) {
    if (span.last != step) continue;
    std::vector<std::byte> guard(span.guard);
    backend_.download(backend_.stream(Lane::compute), guard.data(), arena + span.offset + span.bytes,
                      guard.size());
    if (!std::all_of(guard.begin(), guard.end(), [](std::byte b) { return b == kPoison; })) {
      const PlanStep& s = plan_.steps[static_cast<size_t>(step)];
      throw InternalError(plan_.graph().node(s.node).name, "something wrote behind its memory (" +
                                                               s.kernel->impl() + " was the last to use it)");
    }
    poison(arena + span.offset, span.bytes);
  }
}

}  // namespace xf
