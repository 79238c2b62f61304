// Canonical f32 weights into the arrangement and type that a convolution or product wants.

#include <algorithm>

#include "engine/core/aligned.h"
#include "engine/core/threads.h"
#include "kernels/cpu/dnnl_call.h"
#include "kernels/cpu/dnnl_layout.h"
#include "kernels/cpu/lower.h"
#include "kernels/cpu/winograd_pack.h"

namespace xf::cpu {

namespace {

/// Each output's window with rows and columns reversed.
void turn(const Shape& s, const float* from, float* to) {
  const int64_t taps = s.h * s.w;
  parallel_for(s.n, [&](int64_t o) {
    const float* source = from + o * taps * s.c;
    float* target = to + o * taps * s.c;
    for (int64_t t = 0; t < taps; ++t) std::copy_n(source + t * s.c, s.c, target + (taps - 1 - t) * s.c);
  });
}

class PackKernel : public Kernel {
 public:
  explicit PackKernel(const dnn::Packing& p)
      : packing_(p),
        call_(dnn::make_for({}, [&] { return dnn::reorder(p.from, p.to); }),
              {{DNNL_ARG_FROM, p.from}, {DNNL_ARG_TO, p.to}}, 1) {}

  [[nodiscard]] std::string impl() const override { return "pack:" + call_.impl(); }
  [[nodiscard]] size_t workspace() const override { return turned_bytes() + call_.scratch(); }

  void run(Stream&, std::span<const Ref> operands, Scratch scratch) override {
    std::byte* source = operands[0].data;
    if (turned_bytes() != 0) {
      turn(packing_.weights, operands[0].as<float>(), reinterpret_cast<float*>(scratch.data));
      source = scratch.data;
    }
    const std::array addresses{source, operands[1].data};
    call_.run(0, 0, addresses, scratch.data + turned_bytes());
  }

 private:
  [[nodiscard]] size_t turned_bytes() const {
    const Shape& s = packing_.weights;
    const bool turns = packing_.window == dnn::Window::turned && s.h * s.w > 1;
    return turns ? aligned(static_cast<size_t>(s.count()) * sizeof(float)) : 0;
  }
  dnn::Packing packing_;
  dnn::Call call_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Pack& op, const Node&, const Context&) {
  const dnn::Arrangement to = dnn::packing(op.layout);
  if (const auto* weights = std::get_if<dnn::WinogradWeights>(&to)) return winograd::pack(*weights);
  return std::make_unique<PackKernel>(std::get<dnn::Packing>(to));
}

}  // namespace xf::cpu
