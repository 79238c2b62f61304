#pragma once
// Which values share memory: the first half of placing them.

#include <map>
#include <vector>

#include "engine/plan/compile.h"

namespace xf {

/// When and by whom a value is made and read; steps by their index in the plan.
struct Lifetimes {
  struct Read {
    int step;
    int operand;
  };
  explicit Lifetimes(const Plan& plan);
  /// The step that makes it; -1 for sources.
  [[nodiscard]] int made(Value v) const;
  [[nodiscard]] const std::vector<Read>& reads(Value v) const;
  [[nodiscard]] bool kept(Value v) const;

 private:
  std::map<Value, int> made_;
  std::map<Value, std::vector<Read>> reads_;
  std::vector<Value> keep_;
  std::vector<Read> none_;
};

/// A value as a part of another one's memory: `offset` channels in, rows as far apart as the root's.
struct View {
  Value root;
  int64_t channel = 0;
};

/// Every value that has no memory of its own, resolved to the value that has. Steps that became empty
/// (concatenations of views, slices that are views) are removed from the plan.
std::map<Value, View> find_aliases(Plan& plan);

}  // namespace xf
