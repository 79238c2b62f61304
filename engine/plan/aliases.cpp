#include "engine/plan/aliases.h"

#include <algorithm>
#include <set>

#include "engine/core/error.h"

namespace xf {

Lifetimes::Lifetimes(const Plan& plan) : keep_(plan.program.keep) {
  for (int t = 0; t < static_cast<int>(plan.steps.size()); ++t) {
    const PlanStep& step = plan.steps[static_cast<size_t>(t)];
    const int inputs = static_cast<int>(plan.graph().node(step.node).inputs.size());
    for (int i = 0; i < static_cast<int>(step.operands.size()); ++i) {
      const Value& v = step.operands[static_cast<size_t>(i)];
      if (!v) continue;
      if (i < inputs)
        reads_[v].push_back({t, i});
      else
        made_[v] = t;
    }
  }
}

int Lifetimes::made(Value v) const {
  const auto it = made_.find(v);
  return it == made_.end() ? -1 : it->second;
}

const std::vector<Lifetimes::Read>& Lifetimes::reads(Value v) const {
  const auto it = reads_.find(v);
  return it == reads_.end() ? none_ : it->second;
}

bool Lifetimes::kept(Value v) const { return std::find(keep_.begin(), keep_.end(), v) != keep_.end(); }

namespace {

class AliasFinder {
 public:
  explicit AliasFinder(Plan& plan) : plan_(plan), lives_(plan) {}

  std::map<Value, View> run() {
    for (const Update& u : plan_.graph().updates()) carry(u);
    // The outer concatenation first: the inner one's result is then a view itself.
    for (int t = static_cast<int>(plan_.steps.size()) - 1; t >= 0; --t)
      if (node(t).as<Concat>() != nullptr) try_concat(t);
    for (int t = 0; t < static_cast<int>(plan_.steps.size()); ++t)
      if (node(t).as<Slice>() != nullptr) try_slice(t);
    drop_steps();
    std::map<Value, View> resolved;
    for (const auto& [value, view] : views_) resolved[value] = resolve(value);
    return resolved;
  }

 private:
  const Node& node(int t) const { return plan_.graph().node(plan_.steps[static_cast<size_t>(t)].node); }
  Kernel& kernel(int t) const { return *plan_.steps[static_cast<size_t>(t)].kernel; }

  /// A state's new value lies where the old one lay, which nobody may read afterwards.
  void carry(const Update& u) {
    const int made = lives_.made(u.value);
    if (made < 0)
      throw InternalError(plan_.graph().node(u.state).name, "is updated with a value that no step makes");
    for (const Lifetimes::Read& read : lives_.reads(u.state))
      if (read.step > made) throw InternalError(plan_.graph().node(u.state).name, "is read after its update");
    views_[u.value] = {u.state, 0};
  }

  /// Whether every reader but step `except` can read v with a row stride.
  bool readers_strided(Value v, int except) const {
    for (const Lifetimes::Read& read : lives_.reads(v))
      if (read.step != except && dropped_.count(read.step) == 0 && node(read.step).as<Slice>() == nullptr &&
          !kernel(read.step).strided(read.operand))
        return false;
    return true;
  }

  bool can_join(Value v, int concat) const {
    const int made = lives_.made(v);
    if (made < 0 || lives_.kept(v) || views_.count(v) != 0) return false;
    const auto& reads = lives_.reads(v);
    if (std::count_if(reads.begin(), reads.end(), [&](const auto& r) { return r.step == concat; }) != 1)
      return false;
    const int operand = static_cast<int>(node(made).inputs.size()) + v.output();
    return kernel(made).strided(operand) && readers_strided(v, concat);
  }

  void try_concat(int t) {
    const PlanStep& step = plan_.steps[static_cast<size_t>(t)];
    const Node& n = node(t);
    int64_t channel = 0;
    size_t joined = 0;
    const Value whole = step.operands.back();
    for (const Value& v : n.inputs) {
      if (can_join(v, t)) {
        views_[v] = {whole, channel};
        ++joined;
      }
      channel += v.shape().c;
    }
    if (joined == n.inputs.size()) dropped_.insert(t);
  }

  void try_slice(int t) {
    const PlanStep& step = plan_.steps[static_cast<size_t>(t)];
    const Value v = step.operands.back(), whole = step.operands.front();
    if (views_.count(v) != 0 || lives_.kept(v) || lives_.made(whole) < 0 || !readers_strided(v, t)) return;
    views_[v] = {whole, node(t).as<Slice>()->begin};
    dropped_.insert(t);
  }

  View resolve(Value v) const {
    View view{v, 0};
    for (auto it = views_.find(v); it != views_.end(); it = views_.find(view.root))
      view = {it->second.root, view.channel + it->second.channel};
    return view;
  }

  void drop_steps() {
    std::vector<PlanStep> rest;
    for (size_t t = 0; t < plan_.steps.size(); ++t)
      if (dropped_.count(static_cast<int>(t)) == 0) rest.push_back(std::move(plan_.steps[t]));
    plan_.steps = std::move(rest);
  }

  Plan& plan_;
  Lifetimes lives_;
  std::map<Value, View> views_;
  std::set<int> dropped_;
};

}  // namespace

std::map<Value, View> find_aliases(Plan& plan) { return AliasFinder(plan).run(); }

}  // namespace xf
