#pragma once
// A plan in words and numbers: what runs, by whom, and how much memory it takes.

#include <string>
#include <vector>

#include "engine/plan/compile.h"

namespace xf {

struct ExplainedStep {
  std::string phase;  ///< "once", "batch", "update"
  std::string name;   ///< layer
  std::string op, impl;
  Shape shape;  ///< of the first output
  std::string dtype;
  size_t bytes = 0;   ///< of the first output
  std::string where;  ///< "arena", "fixed" or "store"
  size_t offset = 0;
  size_t workspace = 0;
};

std::vector<ExplainedStep> explain(const Plan& plan);

/// The same as an aligned table, one line a step, with a heading.
std::string explain_table(const Plan& plan);

}  // namespace xf
