#include "engine/plan/arena.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <vector>

#include "engine/core/aligned.h"
#include "engine/core/error.h"
#include "engine/plan/aliases.h"

namespace xf {

namespace {

#ifdef NDEBUG
constexpr size_t kGuard = 0;
#else
constexpr size_t kGuard = 256;
#endif
size_t guarded(size_t bytes) { return aligned(bytes) + kGuard; }

/// A piece of memory with the steps during which it is in use (both included).
struct Block {
  size_t bytes = 0;
  int first = std::numeric_limits<int>::max(), last = -1;
  size_t offset = 0;
  void use(int step) {
    first = std::min(first, step);
    last = std::max(last, step);
  }
  [[nodiscard]] bool overlaps(const Block& o) const { return first <= o.last && o.first <= last; }
};

class Placer {
 public:
  explicit Placer(Plan& plan) : plan_(plan) {}

  void run() {
    // Once, batch, update: the order in which the executor runs them.
    std::stable_sort(plan_.steps.begin(), plan_.steps.end(),
                     [](const PlanStep& a, const PlanStep& b) { return a.phase < b.phase; });
    views_ = find_aliases(plan_);
    lives_.emplace(plan_);
    collect_blocks();
    share_in_place();
    const std::vector<Block*> order = arena_blocks();
    plan_.arena_bytes = pack(order);
    for (const Block* b : order)
      plan_.spans.push_back({b->offset, b->bytes, guarded(b->bytes) - b->bytes, b->last});
    write_slots();
  }

 private:
  const Lifetimes& lives() const { return *lives_; }
  [[nodiscard]] Value root(Value v) const {
    const auto it = views_.find(v);
    return it == views_.end() ? v : it->second.root;
  }
  /// The root after in-place sharing.
  [[nodiscard]] Value owner(Value v) const {
    Value r = root(v);
    for (auto it = shared_.find(r); it != shared_.end(); it = shared_.find(r)) r = it->second;
    return r;
  }

  void collect_blocks() {
    const int end = static_cast<int>(plan_.steps.size());
    for (int t = 0; t < end; ++t)
      for (const Value& v : plan_.steps[static_cast<size_t>(t)].operands)
        if (v) touch(v, t);
    for (const Value& v : plan_.program.keep) touch(v, end);
  }

  void touch(Value v, int t) {
    const Value r = root(v);
    Block& block = blocks_[r];
    block.bytes = std::max(block.bytes, r.spec().bytes());
    block.use(t);
  }

  /// Sources lie in the store or in the plan's fixed memory, and so does what steps of phase `once` leave
  /// behind.
  [[nodiscard]] Region region(Value r) const {
    const Node& n = plan_.graph().node(r);
    if (n.source == Source::param || n.source == Source::state) return Region::store;
    if (n.source != Source::none) return Region::fixed;
    const int made = lives().made(r);
    if (made >= 0 && plan_.steps[static_cast<size_t>(made)].phase == Phase::once) {
      if (lives().kept(r)) return Region::fixed;
      for (const auto& read : lives().reads(r))
        if (plan_.steps[static_cast<size_t>(read.step)].phase != Phase::once) return Region::fixed;
    }
    return Region::arena;
  }

  void share_in_place() {
    for (int t = 0; t < static_cast<int>(plan_.steps.size()); ++t) {
      const PlanStep& step = plan_.steps[static_cast<size_t>(t)];
      const size_t inputs = plan_.graph().node(step.node).inputs.size();
      for (size_t o = inputs; o < step.operands.size(); ++o)
        for (size_t i = 0; i < inputs; ++i)
          if (step.kernel->in_place(static_cast<int>(o - inputs), static_cast<int>(i)) &&
              try_share(step.operands[o], step.operands[i], t))
            break;
    }
  }

  bool try_share(Value out, Value in, int t) {
    if (!out || !in || views_.count(out) != 0 || views_.count(in) != 0) return false;
    const Value from = owner(in);
    if (region(from) != Region::arena || region(out) != Region::arena || owner(out) == from) return false;
    Block &mine = blocks_.at(out), &theirs = blocks_.at(from);
    if (mine.bytes != theirs.bytes || theirs.last != t || mine.first != t) return false;
    theirs.last = mine.last;
    blocks_.erase(out);
    shared_[out] = from;
    return true;
  }

  std::vector<Block*> arena_blocks() {
    std::vector<Block*> order;
    for (auto& [value, block] : blocks_) {
      if (region(value) == Region::arena)
        order.push_back(&block);
      else if (region(value) == Region::fixed) {
        block.offset = plan_.fixed_bytes;
        plan_.fixed_bytes += aligned(block.bytes);
      }
    }
    scratch_.resize(plan_.steps.size());
    for (size_t t = 0; t < plan_.steps.size(); ++t) {
      scratch_[t].bytes = plan_.steps[t].kernel->workspace();
      scratch_[t].use(static_cast<int>(t));
      if (scratch_[t].bytes > 0) order.push_back(&scratch_[t]);
    }
    return order;
  }

  /// Largest first, each at the lowest offset where nothing that lives at the same time lies.
  static size_t pack(std::vector<Block*> order) {
    std::stable_sort(order.begin(), order.end(),
                     [](const Block* a, const Block* b) { return a->bytes > b->bytes; });
    std::vector<const Block*> placed;  // by offset
    size_t total = 0;
    for (Block* block : order) {
      size_t offset = 0;
      for (const Block* other : placed) {
        if (!other->overlaps(*block)) continue;
        if (offset + guarded(block->bytes) <= other->offset) break;
        offset = std::max(offset, other->offset + guarded(other->bytes));
      }
      block->offset = offset;
      total = std::max(total, offset + guarded(block->bytes));
      placed.insert(std::upper_bound(placed.begin(), placed.end(), block,
                                     [](const Block* a, const Block* b) { return a->offset < b->offset; }),
                    block);
    }
    return total;
  }

  void write_slots() {
    for (size_t t = 0; t < plan_.steps.size(); ++t) {
      for (const Value& v : plan_.steps[t].operands)
        if (v && plan_.slots.count(v) == 0) plan_.slots[v] = slot_of(v);
      if (scratch_[t].bytes > 0) plan_.steps[t].scratch = {Region::arena, scratch_[t].offset, 0, {}};
    }
    for (const Value& v : plan_.program.keep) plan_.slots.try_emplace(v, slot_of(v));
  }

  Slot slot_of(Value v) const {
    const Value whole = root(v), r = owner(v);
    const auto it = views_.find(v);
    const int64_t channel = it == views_.end() ? 0 : it->second.channel;
    const size_t inside = static_cast<size_t>(channel) * size_of(v.spec().dtype);
    Slot slot{region(r), 0, whole.shape().c, {}};
    if (slot.region == Region::store) {
      slot.source = r;
      slot.row_stride = v.shape().c;
      return slot;
    }
    slot.offset = blocks_.at(r).offset + inside;
    return slot;
  }

  Plan& plan_;
  std::map<Value, View> views_;
  std::optional<Lifetimes> lives_;  // of the steps that the aliases left
  std::map<Value, Block> blocks_;
  std::map<Value, Value> shared_;
  std::vector<Block> scratch_;
};

}  // namespace

void place(Plan& plan) { Placer(plan).run(); }

}  // namespace xf
