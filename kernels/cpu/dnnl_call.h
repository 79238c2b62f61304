#pragma once
// A oneDNN primitive tied to the operands of a kernel.

#include <vector>

#include "kernels/cpu/dnnl_api.h"
#include "kernels/cpu/dnnl_partition.h"

namespace xf::cpu::dnn {

/// One argument of a primitive. Part p of a batch lies p * step bytes behind the operand's address; with a
/// step of 0, every part has the same.
struct Argument {
  int id;  ///< DNNL_ARG_*
  Desc desc;
  size_t step = 0;
};

/// A primitive with its memory objects, made once: one set for each part that may run at the same time.
/// Running it allocates nothing.
class Call {
 public:
  Call() = default;
  /// `slots` parts may run at the same time.
  Call(Built built, std::vector<Argument> arguments, int64_t slots);
  [[nodiscard]] const std::string& impl() const { return built_.impl; }
  /// Bytes of scratch memory that one slot needs, a multiple of 256.
  [[nodiscard]] size_t scratch() const { return scratch_; }
  /// Runs part `part` with the memory objects and scratch memory of `slot`. `addresses`: one for each
  /// argument, of part 0.
  void run(int64_t slot, int64_t part, std::span<std::byte* const> addresses, std::byte* scratch);

 private:
  struct Bound {
    dnnl::memory memory;
    std::byte* address = nullptr;
  };
  void bind(Bound& bound, std::byte* address);
  Built built_;
  std::vector<Argument> arguments_;
  std::vector<Bound> bound_;  ///< slot-major; each slot's last one is its scratch memory
  size_t scratch_ = 0;
};

}  // namespace xf::cpu::dnn
