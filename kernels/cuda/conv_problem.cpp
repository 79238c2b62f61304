#include "kernels/cuda/conv_problem.h"

#include <fmt/format.h>

namespace xf::cuda {

std::string to_string(const ConvProblem& p) {
  const Conv2d& w = p.window;
  const char* kind = p.kind == ConvKind::forward         ? "forward"
                     : p.kind == ConvKind::data_gradient ? "data gradient"
                                                         : "weight gradient";
  const bool tf32 = p.type == DType::f32 && p.math == Math::tf32;
  return fmt::format("{} {} x {} y {} window {}x{} stride {}x{} padding {},{},{},{}{}{}{}", kind,
                     tf32 ? "tf32" : name(p.type), to_string(p.x), to_string(p.y), w.kernel_h, w.kernel_w,
                     w.stride_h, w.stride_w, w.pad.top, w.pad.bottom, w.pad.left, w.pad.right,
                     p.bias ? " bias" : "", p.residual ? " residual" : "",
                     w.act == Activation::relu ? " relu" : "");
}

}  // namespace xf::cuda
