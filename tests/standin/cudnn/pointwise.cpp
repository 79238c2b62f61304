#include "tests/standin/cudnn/pointwise.h"

#include <limits>
#include <string>

namespace xf::standin::cudnn {
namespace {

cudnnPointwiseMode_t mode_of(const Descriptor& operation) {
  return operation.descriptor(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR)
      ->value<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
}

bool takes_two(cudnnPointwiseMode_t mode) {
  switch (mode) {
    case CUDNN_POINTWISE_ADD:
    case CUDNN_POINTWISE_SUB:
    case CUDNN_POINTWISE_MUL:
    case CUDNN_POINTWISE_RELU_BWD: return true;
    case CUDNN_POINTWISE_IDENTITY:
    case CUDNN_POINTWISE_RELU_FWD: return false;
    default: fail("pointwise: mode " + std::to_string(mode) + " is not emulated", CUDNN_STATUS_NOT_SUPPORTED);
  }
}

// The element of `small` that meets each element of `big`, whose dimensions it has or has as 1.
std::vector<size_t> met_by(const Tensor& small, const Tensor& big) {
  std::vector<size_t> out{0};
  for (size_t i = 0; i < big.dims.size(); ++i) {
    std::vector<size_t> next;
    next.reserve(out.size() * static_cast<size_t>(big.dims[i]));
    for (const size_t o : out)
      for (int64_t j = 0; j < big.dims[i]; ++j)
        next.push_back(small.dims[i] == 1 ? o
                                          : o * static_cast<size_t>(big.dims[i]) + static_cast<size_t>(j));
    out = std::move(next);
  }
  return out;
}

}  // namespace

Pointwise::Pointwise(const Descriptor& d)
    : mode_(mode_of(d)),
      x_(*d.descriptor(CUDNN_ATTR_OPERATION_POINTWISE_XDESC)),
      out_(*d.descriptor(mode_ == CUDNN_POINTWISE_RELU_BWD ? CUDNN_ATTR_OPERATION_POINTWISE_DXDESC
                                                           : CUDNN_ATTR_OPERATION_POINTWISE_YDESC)),
      x_scale_(d.real(CUDNN_ATTR_OPERATION_POINTWISE_ALPHA1, 1)),
      other_scale_(d.real(CUDNN_ATTR_OPERATION_POINTWISE_ALPHA2, 1)) {
  const auto other = mode_ == CUDNN_POINTWISE_RELU_BWD ? CUDNN_ATTR_OPERATION_POINTWISE_DYDESC
                                                       : CUDNN_ATTR_OPERATION_POINTWISE_BDESC;
  if (takes_two(mode_))
    other_.emplace(*d.descriptor(other));
  else
    require(d.find(other) == nullptr, "pointwise: one operand too many");
  const DescriptorPtr how = d.descriptor(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
  lower_ = how->real(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, 0);
  upper_ = how->real(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, std::numeric_limits<double>::infinity());
  slope_ = how->real(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, 0);
  for (const Tensor* t : inputs()) {
    require(t->dims.size() == out_.dims.size(),
            "pointwise: " + t->text() + " has another rank than " + out_.text());
    for (size_t i = 0; i < out_.dims.size(); ++i)
      require(t->dims[i] == out_.dims[i] || t->dims[i] == 1,
              "pointwise: " + t->text() + " does not broadcast to " + out_.text());
  }
}

std::vector<const Tensor*> Pointwise::inputs() const {
  if (other_) return {&x_, &*other_};
  return {&x_};
}

// A NaN stays one, whatever the descriptor says of that: what nobody wrote must show.
double Pointwise::apply(double x, double other) const {
  switch (mode_) {
    case CUDNN_POINTWISE_ADD: return x + other;
    case CUDNN_POINTWISE_SUB: return x - other;
    case CUDNN_POINTWISE_MUL: return x * other;
    case CUDNN_POINTWISE_RELU_FWD:
      if (x < lower_) return lower_ + slope_ * (x - lower_);
      return x > upper_ ? upper_ : x;
    case CUDNN_POINTWISE_RELU_BWD:
      if (x <= lower_) return slope_ * other;
      return x > upper_ ? 0 : other + 0 * x;
    default: return x;
  }
}

std::vector<double> Pointwise::run(const Values& values) const {
  const std::vector<double>& x = values.at(x_.uid);
  const std::vector<size_t> x_at = met_by(x_, out_), other_at = other_ ? met_by(*other_, out_) : x_at;
  const std::vector<double>& other = other_ ? values.at(other_->uid) : x;
  std::vector<double> out(x_at.size());
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = apply(x_scale_ * x[x_at[i]], other_scale_ * other[other_at[i]]);
  return out;
}

}  // namespace xf::standin::cudnn
