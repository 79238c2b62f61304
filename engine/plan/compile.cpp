#include "engine/plan/compile.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "engine/core/error.h"
#include "engine/plan/arena.h"
#include "engine/plan/passes.h"

namespace xf {

Precision parse_precision(const std::string& text) {
  for (const Precision p : {Precision::f32, Precision::tf32, Precision::bf16, Precision::f16})
    if (text == name(p)) return p;
  throw UsageError("--precision " + text, "is not a precision", "choose one of: f32, tf32, bf16, f16");
}

std::string_view name(Precision p) {
  switch (p) {
    case Precision::f32: return "f32";
    case Precision::tf32: return "tf32";
    case Precision::bf16: return "bf16";
    case Precision::f16: return "f16";
  }
  return "?";
}

const Slot& Plan::slot(Value v) const {
  const auto it = slots.find(v);
  if (it == slots.end()) throw InternalError(graph().node(v).name, "the plan has no memory for this value");
  return it->second;
}

namespace {

/// Which nodes run once for given weights: those that depend on nothing but parameters and states that this
/// program leaves alone.
std::vector<char> constant_nodes(const Program& program, Weights weights) {
  const Graph& g = *program.graph;
  std::vector<char> constant(static_cast<size_t>(g.size()), 0);
  if (weights == Weights::changing) return constant;
  std::set<int> updated;
  for (const Update& u : g.updates()) updated.insert(u.state.node());
  for (int id = 0; id < g.size(); ++id) {
    const Node& n = g.node(id);
    bool fixed = n.source == Source::none ? !n.inputs.empty()
                                          : (n.source == Source::param || n.source == Source::state ||
                                             n.source == Source::constant) &&
                                                updated.count(id) == 0;
    for (const Value& in : n.inputs) fixed = fixed && (!in || constant[static_cast<size_t>(in.node())] != 0);
    constant[static_cast<size_t>(id)] = fixed ? 1 : 0;
  }
  return constant;
}

/// The optimizer; and where several micro-batches make a step, what the ranks exchange of their sums.
bool of_update(const Graph& g, int id) {
  const Node& n = g.node(id);
  if (n.as<Optimize>() != nullptr) return true;
  if (n.as<AllReduce>() == nullptr && n.as<AllReduceWait>() == nullptr) return false;
  const int from = n.inputs[0].node();
  return g.node(from).as<Accumulate>() != nullptr || of_update(g, from);
}

class Lowering {
 public:
  Lowering(Plan& plan, const CompileOptions& options, Backend& backend)
      : plan_(plan),
        options_(options),
        backend_(backend),
        constant_(constant_nodes(plan.program, options.weights)) {}

  void run() {
    const int count = plan_.graph().size();  // packs are added behind
    const Uses uses(plan_.program);
    for (int id = 0; id < count; ++id)
      if (plan_.graph().node(id).source == Source::none) lower(id, uses);
  }

 private:
  std::shared_ptr<Kernel> make_kernel(const Node& n) {
    std::shared_ptr<Kernel> kernel =
        backend_.lower(n, options_.precision == Precision::tf32 ? Math::tf32 : Math::f32);
    if (options_.allow_reference == AllowReference::no && kernel->impl().rfind("ref", 0) == 0)
      throw UnavailableError(fmt::format("{} ({})", n.name, op_name(n.op)),
                             fmt::format("{} has only the slow reference implementation {} for {}",
                                         backend_.name(), kernel->impl(), to_string(n.outputs[0].shape)),
                             "use another precision or input size, or --allow-reference");
    return kernel;
  }

  void lower(int id, const Uses& uses) {
    const Node& n = plan_.graph().node(id);
    PlanStep step;
    step.node = id;
    step.kernel = make_kernel(n);
    step.phase = of_update(plan_.graph(), id)              ? Phase::update
                 : constant_[static_cast<size_t>(id)] != 0 ? Phase::once
                                                           : Phase::batch;
    step.operands = operands_of(plan_.program, id, uses);
    for (size_t i = 0; i < n.inputs.size(); ++i) {
      if (!n.inputs[i]) continue;
      const Layout wanted = step.kernel->wants(static_cast<int>(i));
      if (wanted.id != 0) step.operands[i] = packed(n.inputs[i], wanted);
    }
    plan_.steps.push_back(std::move(step));
  }

  /// The value in another arrangement: made once per plan where the weights are fixed, else before each
  /// reader, so that the copy lives for one step only.
  Value packed(Value v, const Layout& layout) {
    Graph& g = *plan_.program.graph;
    const bool fixed = constant_[static_cast<size_t>(v.node())] != 0;
    if (fixed)
      if (const auto it = packed_.find({v, layout.id}); it != packed_.end()) return it->second;
    g.set_scope(g.node(v).name);
    const Value copy = g.add(Pack{layout.id, layout.bytes}, {v});
    plan_.steps.push_back(
        {copy.node(), fixed ? Phase::once : Phase::batch, make_kernel(g.node(copy)), {v, copy}, {}});
    if (fixed) packed_[{v, layout.id}] = copy;
    return copy;
  }

  Plan& plan_;
  const CompileOptions& options_;
  Backend& backend_;
  std::vector<char> constant_;
  std::map<std::pair<Value, uint64_t>, Value> packed_;
};

}  // namespace

Program rewrite(const Graph& graph, std::span<const Value> keep, Precision precision) {
  return lower_precision(fuse(fold(prune(graph, keep))), precision);
}

Plan compile(const Graph& graph, std::span<const Value> keep, const CompileOptions& options,
             Backend& backend) {
  const DType type = options.precision == Precision::bf16  ? DType::bf16
                     : options.precision == Precision::f16 ? DType::f16
                                                           : DType::f32;
  if (std::string why; !backend.supports(type, why))
    throw UnavailableError(fmt::format("--precision {}", name(options.precision)), why,
                           "use --precision f32");
  Plan plan;
  plan.program = rewrite(graph, keep, options.precision);
  if (options.ranks > 1) plan.program = reduce(plan.program);
  Lowering(plan, options, backend).run();
  place(plan);
  return plan;
}

}  // namespace xf
