#pragma once
// What kernels have in common that are one launcher, called with the operands as they come.

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <string>

#include "engine/core/error.h"
#include "engine/run/backend.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/operands.h"
#include "kernels/cuda/rows.h"
#include "kernels/cuda/stream.h"

namespace xf::cuda {

/// A kernel of this project, called "xf:NAME".
class OwnKernel : public Kernel {
 public:
  OwnKernel(std::string_view name, const Node& node)
      : impl_(fmt::format("xf:{}", name)),
        label_(fmt::format("{}: {} to {}", node.name, name, to_string(node.outputs[0].shape))),
        inputs_(node.inputs.size()) {}
  [[nodiscard]] std::string impl() const final { return impl_; }
  void run(Stream& stream, std::span<const Ref> operands, Scratch /*scratch*/) final {
    check(static_cast<cudaError_t>(launch(Operands(operands, inputs_), cuda_stream(stream).use())), label_);
  }

 protected:
  [[nodiscard]] size_t inputs() const { return inputs_; }
  /// Queues the work on `stream` (a cudaStream_t); returns its cudaError_t.
  virtual int launch(const Operands& operands, void* stream) = 0;

 private:
  std::string impl_, label_;
  size_t inputs_;
};

/// Throws UnavailableError naming the node.
[[noreturn]] inline void unsupported(const Node& node, const std::string& reason) {
  throw UnavailableError(fmt::format("{} ({})", node.name, op_name(node.op)), reason, "use --device cpu");
}

inline Extent extent_of(const Ref& r) { return {r.spec.shape.rows(), r.spec.shape.c}; }
inline RowsIn rows_in(const Ref& r) { return {r.data, r.row_stride}; }
inline RowsOut rows_out(const Ref& r) { return {r.data, r.row_stride}; }

}  // namespace xf::cuda
