#include "engine/plan/explain.h"

#include <fmt/format.h>

#include <algorithm>

namespace xf {

namespace {

std::string phase_name(Phase p) {
  switch (p) {
    case Phase::once: return "once";
    case Phase::batch: return "batch";
    case Phase::update: return "update";
  }
  return "?";
}

std::string region_name(Region r) {
  switch (r) {
    case Region::none: return "-";
    case Region::store: return "store";
    case Region::arena: return "arena";
    case Region::fixed: return "fixed";
  }
  return "?";
}

}  // namespace

std::vector<ExplainedStep> explain(const Plan& plan) {
  std::vector<ExplainedStep> rows;
  for (const PlanStep& step : plan.steps) {
    const Node& n = plan.graph().node(step.node);
    ExplainedStep row;
    row.phase = phase_name(step.phase);
    row.name = n.name;
    row.op = std::string(op_name(n.op));
    row.impl = step.kernel->impl();
    row.workspace = step.kernel->workspace();
    for (size_t i = n.inputs.size(); i < step.operands.size(); ++i) {
      const Value& v = step.operands[i];
      if (!v) continue;
      const Slot& slot = plan.slot(v);
      row.shape = v.shape();
      row.dtype = std::string(name(v.spec().dtype));
      row.bytes = v.spec().bytes();
      row.where = region_name(slot.region);
      row.offset = slot.offset;
      break;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string explain_table(const Plan& plan) {
  const std::vector<ExplainedStep> rows = explain(plan);
  size_t name = 5, impl = 14;
  for (const ExplainedStep& r : rows) {
    name = std::max(name, r.name.size());
    impl = std::max(impl, r.impl.size());
  }
  std::string text = fmt::format("{:<6} {:<{}} {:<20} {:<{}} {:>18} {:<5} {:>12} {:<5} {:>12} {:>11}\n",
                                 "phase", "layer", name, "operation", "implementation", impl, "shape", "type",
                                 "bytes", "where", "offset", "workspace");
  for (const ExplainedStep& r : rows)
    text += fmt::format("{:<6} {:<{}} {:<20} {:<{}} {:>18} {:<5} {:>12} {:<5} {:>12} {:>11}\n", r.phase,
                        r.name, name, r.op, r.impl, impl, to_string(r.shape), r.dtype, r.bytes, r.where,
                        r.offset, r.workspace);
  return text;
}

}  // namespace xf
