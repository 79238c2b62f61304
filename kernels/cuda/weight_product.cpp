#include "kernels/cuda/weight_product.h"

#include "kernels/cuda/matmul.h"
#include "kernels/cuda/stream.h"
#include "kernels/cuda/weighted.h"

namespace xf::cuda {
namespace {

class ProductGradient final : public Kernel {
 public:
  ProductGradient(const Node& node, const WeightProduct& p, const Context& context)
      : product_({.rows = p.outputs,
                  .columns = p.inputs,
                  .depth = p.rows,
                  .a_transposed = true,
                  .in = node.inputs[0].spec().dtype,
                  .math = context.math},
                 context.libraries, label(node)) {}

  [[nodiscard]] std::string impl() const override { return "cublaslt"; }
  [[nodiscard]] size_t workspace() const override { return product_.workspace(); }

  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override {
    product_.run(cuda_stream(stream).use(), operands[1].data, operands[0].data, nullptr, operands[2].data,
                 scratch.data);
  }

 private:
  Matmul product_;
};

}  // namespace

std::unique_ptr<Kernel> product_gradient(const Node& node, const WeightProduct& p, const Context& context) {
  return std::make_unique<ProductGradient>(node, p, context);
}

}  // namespace xf::cuda
