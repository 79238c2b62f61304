// Barriers and warp exchanges.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

#include "kernels/simt/block.h"
#include "kernels/simt/fiber.h"

namespace xf::simt {
namespace {

bool same(const Wait& a, const Wait& b) {
  return std::strcmp(a.operation, b.operation) == 0 && a.site.line == b.site.line &&
         std::strcmp(a.site.file, b.site.file) == 0;
}

int result_of(Vote vote, int votes, int threads) {
  switch (vote) {
    case Vote::count: return votes;
    case Vote::any: return static_cast<int>(votes > 0);
    case Vote::all: return static_cast<int>(votes == threads);
    case Vote::none: break;
  }
  return 0;
}

// Throws unless lane `i`, named in the current thread's mask, can still make the same exchange.
void check_partner(const Thread& me, std::span<const Thread> warp, unsigned i) {
  if (i >= warp.size() || warp[i].state == State::done) {
    fail(fmt::format("{}: mask {:#010x} names lane {}, which {}", describe(me.wait), me.mask, i,
                     i < warp.size() ? "has returned" : "the block does not have"));
  }
  const Thread& other = warp[i];
  const bool waits_for_me = other.state == State::in_warp && (other.mask >> lane() & 1U) != 0;
  if (waits_for_me && (other.mask != me.mask || !same(other.wait, me.wait))) {
    fail(fmt::format("divergent warp: reaches {} with mask {:#010x} while {} waits in {} with mask {:#010x}",
                     describe(me.wait), me.mask, who(other), describe(other.wait), other.mask));
  }
}

}  // namespace

unsigned lane() { return current->linear % kWarp; }

std::span<Thread> warp_of(const Thread& thread) {
  const size_t first = thread.linear / kWarp * kWarp;
  return std::span(block->threads).subspan(first, std::min<size_t>(kWarp, block->threads.size() - first));
}

std::string who(const Thread& thread) {
  const auto text = [](const uint3& i) { return fmt::format("({},{},{})", i.x, i.y, i.z); };
  return fmt::format("block {} thread {}", text(block->index), text(thread.index));
}

std::string describe(const Wait& wait) {
  return fmt::format("{} at {}:{}", wait.operation, std::filesystem::path(wait.site.file).filename().string(),
                     wait.site.line);
}

void fail(const std::string& reason) { throw KernelError(who(*current), reason); }

int block_barrier(const char* operation, Vote vote, int predicate, Site site) {
  Thread& me = *current;
  me.wait = {operation, site};
  if (block->done > 0) {
    const auto gone = std::ranges::find(block->threads, State::done, &Thread::state);
    fail(fmt::format("reaches {}, but {} has returned", describe(me.wait), who(*gone)));
  }
  if (block->arrived == 0) block->first_arrived = &me;
  const Thread& first = *block->first_arrived;
  if (!same(first.wait, me.wait)) {
    fail(fmt::format("divergent barrier: reaches {} while {} waits in {}", describe(me.wait), who(first),
                     describe(first.wait)));
  }
  announce(&block->barrier_tag);
  block->votes += static_cast<int>(predicate != 0);
  if (++block->arrived < block->threads.size()) {
    suspend(State::at_barrier);
  } else {
    const int result = result_of(vote, block->votes, static_cast<int>(block->threads.size()));
    block->arrived = 0;
    block->votes = 0;
    for (Thread& thread : block->threads) {
      thread.vote = result;
      thread.state = State::ready;
    }
    suspend(State::ready);  // the last to arrive has no head start
  }
  observe(&block->barrier_tag);
  ++me.phase;
  return me.vote;
}

void warp_exchange(const char* operation, unsigned mask, uint64_t value, Site site) {
  Thread& me = *current;
  me.wait = {operation, site};
  me.mask = mask;
  me.value = value;
  if ((mask >> lane() & 1U) == 0) {
    fail(fmt::format("{}: its own lane {} is not in mask {:#010x}", describe(me.wait), lane(), mask));
  }
  const std::span<Thread> warp = warp_of(me);
  bool complete = true;
  for (unsigned i = 0; i < kWarp; ++i) {
    if ((mask >> i & 1U) == 0 || i == lane()) continue;
    check_partner(me, warp, i);
    complete = complete && warp[i].state == State::in_warp && (warp[i].mask >> lane() & 1U) != 0;
  }
  char& tag = block->warp_tags[me.linear / kWarp];
  announce(&tag);
  if (!complete) {
    suspend(State::in_warp);
  } else {
    std::array<uint64_t, kWarp> values{};
    for (unsigned i = 0; i < warp.size(); ++i) values[i] = warp[i].value;
    for (unsigned i = 0; i < warp.size(); ++i) {
      if ((mask >> i & 1U) == 0) continue;
      warp[i].values = values;
      warp[i].state = State::ready;
    }
    suspend(State::ready);
  }
  observe(&tag);
  if (mask == ~0U) ++me.phase;
}

uint64_t exchanged(unsigned lane) { return current->values[lane]; }

}  // namespace xf::simt
