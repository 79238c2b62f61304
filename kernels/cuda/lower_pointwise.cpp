#include <vector>

#include "kernels/cuda/lower.h"
#include "kernels/cuda/own_kernel.h"
#include "kernels/cuda/pointwise.h"

namespace xf::cuda {
namespace {

class BiasKernel final : public OwnKernel {
 public:
  explicit BiasKernel(const Node& node) : OwnKernel("bias", node), dtype_(activation_type(node, {0})) {}
  [[nodiscard]] bool strided(int operand) const override { return operand != 1; }
  [[nodiscard]] bool in_place(int, int input) const override { return input == 0; }

 protected:
  int launch(const Operands& o, void* stream) override {
    return add_bias(extent_of(o.in(0)), dtype_, rows_in(o.in(0)), o.in(1).as<float>(), rows_out(o.out(0)),
                    stream);
  }

 private:
  DType dtype_;
};

/// The kernels that any operand may lie wherever it likes for.
class AnywhereKernel : public OwnKernel {
 public:
  using OwnKernel::OwnKernel;
  [[nodiscard]] bool strided(int) const final { return true; }
  [[nodiscard]] bool in_place(int, int) const final { return true; }
};

class ActKernel final : public AnywhereKernel {
 public:
  explicit ActKernel(const Node& node) : AnywhereKernel("act", node), dtype_(activation_type(node, {0})) {}

 protected:
  int launch(const Operands& o, void* stream) override {
    return relu(extent_of(o.in(0)), dtype_, rows_in(o.in(0)), rows_out(o.out(0)), stream);
  }

 private:
  DType dtype_;
};

class ActBwdKernel final : public AnywhereKernel {
 public:
  explicit ActBwdKernel(const Node& node)
      : AnywhereKernel("act_bwd", node), dtype_(activation_type(node, {0, 1})) {}

 protected:
  int launch(const Operands& o, void* stream) override {
    return relu_bwd(extent_of(o.in(0)), dtype_, rows_in(o.in(0)), rows_in(o.in(1)), rows_out(o.out(0)),
                    stream);
  }

 private:
  DType dtype_;
};

class AddKernel final : public AnywhereKernel {
 public:
  explicit AddKernel(const Node& node)
      : AnywhereKernel("add", node), dtype_(activation_type(node, {0})), terms_(node.inputs.size()) {
    for (size_t i = 1; i < node.inputs.size(); ++i) activation_type(node, {0, i});
    if (node.inputs.size() > kMostTerms)
      unsupported(node, fmt::format("a sum has {} terms, and {} is the most on cuda", node.inputs.size(),
                                    kMostTerms));
  }

 protected:
  int launch(const Operands& o, void* stream) override {
    for (size_t i = 0; i < terms_.size(); ++i) terms_[i] = rows_in(o.in(i));
    return add(extent_of(o.out(0)), dtype_, terms_, rows_out(o.out(0)), stream);
  }

 private:
  DType dtype_;
  std::vector<RowsIn> terms_;
};

void refuse_none(Activation act, const Node& node) {
  if (act != Activation::relu) unsupported(node, "an activation that changes nothing is no operation");
}

}  // namespace

std::unique_ptr<Kernel> lower(const Bias& /*op*/, const Node& node, const Context& /*context*/) {
  return std::make_unique<BiasKernel>(node);
}

std::unique_ptr<Kernel> lower(const Act& op, const Node& node, const Context& /*context*/) {
  refuse_none(op.act, node);
  return std::make_unique<ActKernel>(node);
}

std::unique_ptr<Kernel> lower(const ActBwd& op, const Node& node, const Context& /*context*/) {
  refuse_none(op.act, node);
  return std::make_unique<ActBwdKernel>(node);
}

std::unique_ptr<Kernel> lower(const Add& /*op*/, const Node& node, const Context& /*context*/) {
  return std::make_unique<AddKernel>(node);
}

}  // namespace xf::cuda
