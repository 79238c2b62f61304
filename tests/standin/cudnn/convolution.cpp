#include "tests/standin/cudnn/convolution.h"

#include <algorithm>
#include <string>

namespace xf::standin::cudnn {
namespace {

using Name = cudnnBackendAttributeName_t;

struct Names {
  Name alpha, beta, geometry, x, w, y;
};

Names names_of(Convolution::Kind kind) {
  switch (kind) {
    case Convolution::Kind::forward:
      return {
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y};
    case Convolution::Kind::backward_data:
      return {
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY};
    case Convolution::Kind::backward_filter: break;
  }
  return {
      CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
      CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
      CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,        CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY};
}

Convolution::Kind kind_of(cudnnBackendDescriptorType_t type) {
  if (type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR) return Convolution::Kind::forward;
  if (type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR)
    return Convolution::Kind::backward_data;
  return Convolution::Kind::backward_filter;
}

std::array<int64_t, 2> pair(const Descriptor& d, Name name) {
  const std::vector<int64_t> v = d.values<int64_t>(name);
  return {v.at(0), v.at(1)};
}

// The sum of products that ends in one element. Where the order is free, every second run sums to a result
// that differs in f32's last bits, as sums of more than one term may.
std::vector<double> varied(std::vector<double> sums, bool reversed) {
  if (reversed)
    for (double& s : sums) s *= 1 + 0x1p-23;
  return sums;
}

}  // namespace

void check_convolution_descriptor(const Descriptor& d) {
  require(d.value<int64_t>(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS) == 2,
          "convolution: other than two spatial dimensions are not emulated", CUDNN_STATUS_NOT_SUPPORTED);
  const auto check = [&](Name name, int64_t least) {
    const std::vector<int64_t> v = d.values<int64_t>(name);
    require(v.size() == 2 && std::ranges::all_of(v, [&](int64_t n) { return n >= least; }),
            "convolution: attribute " + std::to_string(name) + " is not two numbers of at least " +
                std::to_string(least));
  };
  check(CUDNN_ATTR_CONVOLUTION_DILATIONS, 1);
  check(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, 1);
  check(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 0);
  check(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 0);
  require(d.value<cudnnDataType_t>(CUDNN_ATTR_CONVOLUTION_COMP_TYPE) == CUDNN_DATA_FLOAT,
          "convolution: computes in f32 alone", CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE);
}

Convolution::Convolution(const Descriptor& d)
    : kind_(kind_of(d.type())),
      x_(*d.descriptor(names_of(kind_).x)),
      w_(*d.descriptor(names_of(kind_).w)),
      y_(*d.descriptor(names_of(kind_).y)),
      alpha_(d.real(names_of(kind_).alpha, 1)) {
  require(d.real(names_of(kind_).beta, 0) == 0, "convolution: beta is not emulated",
          CUDNN_STATUS_NOT_SUPPORTED);
  const DescriptorPtr geometry = d.descriptor(names_of(kind_).geometry);
  pre_ = pair(*geometry, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
  post_ = pair(*geometry, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
  stride_ = pair(*geometry, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
  dilation_ = pair(*geometry, CUDNN_ATTR_CONVOLUTION_DILATIONS);
  flipped_ = geometry->value<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE) == CUDNN_CONVOLUTION;
  check_sizes();
}

void Convolution::check_sizes() const {
  require(x_.dims.size() == 4 && w_.dims.size() == 4 && y_.dims.size() == 4,
          "convolution: " + x_.text() + ", " + w_.text() + ", " + y_.text() + " are not all of rank 4");
  require(x_.dims[1] == w_.dims[1],
          "convolution: x has " + std::to_string(x_.dims[1]) + " channels, w " + std::to_string(w_.dims[1]));
  require(y_.dims[1] == w_.dims[0], "convolution: y has " + std::to_string(y_.dims[1]) +
                                        " channels, w gives " + std::to_string(w_.dims[0]));
  require(x_.dims[0] == y_.dims[0],
          "convolution: x has " + std::to_string(x_.dims[0]) + " images, y " + std::to_string(y_.dims[0]));
  for (size_t i = 0; i < 2; ++i) {
    const int64_t window = dilation_[i] * (w_.dims[i + 2] - 1) + 1;
    const int64_t expected = (x_.dims[i + 2] + pre_[i] + post_[i] - window) / stride_[i] + 1;
    require(y_.dims[i + 2] == expected, "convolution: spatial dimension " + std::to_string(i) + " of y is " +
                                            std::to_string(y_.dims[i + 2]) + ", expected " +
                                            std::to_string(expected));
  }
}

std::vector<const Tensor*> Convolution::inputs() const {
  switch (kind_) {
    case Kind::forward: return {&x_, &w_};
    case Kind::backward_data: return {&y_, &w_};
    case Kind::backward_filter: break;
  }
  return {&x_, &y_};
}

const Tensor& Convolution::output() const {
  switch (kind_) {
    case Kind::forward: return y_;
    case Kind::backward_data: return x_;
    case Kind::backward_filter: break;
  }
  return w_;
}

// f(element of x, of w, of y) for every product of the forward convolution.
template <class F>
void Convolution::for_products(F f) const {
  const int64_t n = x_.dims[0], channels = x_.dims[1], height = x_.dims[2], width = x_.dims[3];
  const int64_t filters = w_.dims[0], rows = w_.dims[2], columns = w_.dims[3];
  const int64_t y_height = y_.dims[2], y_width = y_.dims[3];
  for (int64_t image = 0; image < n; ++image)
    for (int64_t k = 0; k < filters; ++k)
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t s = 0; s < columns; ++s) {
            const int64_t w = ((k * channels + c) * rows + r) * columns + s;
            const int64_t down = (flipped_ ? rows - 1 - r : r) * dilation_[0] - pre_[0];
            const int64_t right = (flipped_ ? columns - 1 - s : s) * dilation_[1] - pre_[1];
            for (int64_t i = 0; i < y_height; ++i) {
              const int64_t row = i * stride_[0] + down;
              if (row < 0 || row >= height) continue;
              const int64_t x_row = ((image * channels + c) * height + row) * width;
              const int64_t y_row = ((image * filters + k) * y_height + i) * y_width;
              for (int64_t j = 0; j < y_width; ++j) {
                const int64_t column = j * stride_[1] + right;
                if (column >= 0 && column < width) f(x_row + column, w, y_row + j);
              }
            }
          }
}

std::vector<double> Convolution::run(const Values& values, Arithmetic arithmetic) const {
  const auto operand = [&](const Tensor& t) {
    std::vector<double> v = values.at(t.uid);
    if (arithmetic.tf32 && t.element() == Element::f32) std::ranges::transform(v, v.begin(), tf32);
    return v;
  };
  const std::vector<double> a = operand(*inputs()[0]), b = operand(*inputs()[1]);
  std::vector<double> out(static_cast<size_t>(output().count()), 0);
  const auto at = [](auto& v, int64_t i) -> auto& { return v[static_cast<size_t>(i)]; };
  switch (kind_) {
    case Kind::forward:
      for_products([&](int64_t x, int64_t w, int64_t y) { at(out, y) += at(a, x) * at(b, w); });
      break;
    case Kind::backward_data:
      for_products([&](int64_t x, int64_t w, int64_t y) { at(out, x) += at(a, y) * at(b, w); });
      break;
    case Kind::backward_filter:
      for_products([&](int64_t x, int64_t w, int64_t y) { at(out, w) += at(a, x) * at(b, y); });
      break;
  }
  for (double& v : out) v *= alpha_;
  return varied(std::move(out), arithmetic.reversed);
}

}  // namespace xf::standin::cudnn
