#pragma once
// Debug builds: memory that is not in use is poison, and what lies behind a span must stay as it was.

#include "engine/plan/compile.h"
#include "engine/run/backend.h"

namespace xf {

class ArenaWatch {
 public:
  ArenaWatch(const Plan& plan, Backend& backend) : plan_(plan), backend_(backend) {}
  /// Fills the arena with NaN (as f32 and as bf16).
  void begin(std::byte* arena) const;
  /// Spans that are not needed after step `step` are checked and poisoned. Throws InternalError naming the
  /// step when something was written behind one.
  void after(int step, std::byte* arena) const;

 private:
  void poison(std::byte* to, size_t bytes) const;
  const Plan& plan_;
  Backend& backend_;
};

}  // namespace xf
