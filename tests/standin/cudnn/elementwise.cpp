// The rectifier and sums of cuDNN's layer calls, and its softmax.

#include <algorithm>
#include <cmath>

#include "tests/standin/cudnn/layers.h"

using namespace xf::standin::cudnn;

extern "C" {

cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t* d) {
  *d = descriptors<cudnnActivationStruct>().make();
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t d) {
  return guarded([&] { descriptors<cudnnActivationStruct>().destroy(d); });
}
cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t d, cudnnActivationMode_t mode,
                                           cudnnNanPropagation_t nan, double /*ceiling*/) {
  return guarded([&] {
    require(mode == CUDNN_ACTIVATION_RELU, "only the rectifier is emulated", CUDNN_STATUS_NOT_SUPPORTED);
    *d = {true, nan == CUDNN_PROPAGATE_NAN};
  });
}

cudnnStatus_t cudnnActivationForward(cudnnHandle_t handle, cudnnActivationDescriptor_t activation,
                                     const void* alpha, cudnnTensorDescriptor_t x_descriptor,
                                     const void* x_memory, const void* beta,
                                     cudnnTensorDescriptor_t y_descriptor, void* y_memory) {
  return guarded([&] {
    const cudnnActivationStruct act = descriptors<cudnnActivationStruct>().at(activation);
    const Operand x("x", x_descriptor, x_memory), y("y", y_descriptor, y_memory);
    const Blend blend(alpha, beta);
    require(x.like(y), "activation: x and y differ in shape or type");
    queue(handle, {x}, {y}, InPlace::yes, [=] {
      std::vector<double> values = x.read();
      for (double& v : values) v = v > 0 || (std::isnan(v) && act.nan_stays) ? v : 0;
      write(y, std::move(values), blend);
    });
  });
}

cudnnStatus_t cudnnActivationBackward(cudnnHandle_t handle, cudnnActivationDescriptor_t activation,
                                      const void* alpha, cudnnTensorDescriptor_t y_descriptor,
                                      const void* y_memory, cudnnTensorDescriptor_t dy_descriptor,
                                      const void* dy_memory, cudnnTensorDescriptor_t x_descriptor,
                                      const void* x_memory, const void* beta,
                                      cudnnTensorDescriptor_t dx_descriptor, void* dx_memory) {
  return guarded([&] {
    descriptors<cudnnActivationStruct>().at(activation);
    const Operand y("y", y_descriptor, y_memory), dy("dy", dy_descriptor, dy_memory),
        x("x", x_descriptor, x_memory), dx("dx", dx_descriptor, dx_memory);
    const Blend blend(alpha, beta);
    require(x.like(y) && dx.like(x) && dy.like(y), "activation: operands differ in shape or type");
    queue(handle, {y, dy, x}, {dx}, InPlace::yes, [=] {
      std::vector<double> values = dy.read();
      const std::vector<double> before = x.read();
      for (size_t i = 0; i < values.size(); ++i) values[i] = before[i] > 0 ? values[i] : 0;
      write(dx, std::move(values), blend);
    });
  });
}

cudnnStatus_t cudnnAddTensor(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t a_descriptor,
                             const void* a_memory, const void* beta, cudnnTensorDescriptor_t c_descriptor,
                             void* c_memory) {
  return guarded([&] {
    const Operand a("A", a_descriptor, a_memory), c("C", c_descriptor, c_memory);
    const Blend blend(alpha, beta);
    require(a.like(c), "add: only operands of one shape and type are emulated", CUDNN_STATUS_NOT_SUPPORTED);
    queue(handle, {a}, {c}, InPlace::no, [=] { write(c, a.read(), blend); });
  });
}

cudnnStatus_t cudnnSoftmaxForward(cudnnHandle_t handle, cudnnSoftmaxAlgorithm_t algorithm,
                                  cudnnSoftmaxMode_t mode, const void* alpha,
                                  cudnnTensorDescriptor_t x_descriptor, const void* x_memory,
                                  const void* beta, cudnnTensorDescriptor_t y_descriptor, void* y_memory) {
  return guarded([&] {
    const Operand x("x", x_descriptor, x_memory), y("y", y_descriptor, y_memory);
    const Blend blend(alpha, beta);
    require(x.like(y), "softmax: x and y differ in shape or type");
    require(algorithm == CUDNN_SOFTMAX_ACCURATE && mode == CUDNN_SOFTMAX_MODE_INSTANCE,
            "softmax: only the accurate one over whole images is emulated", CUDNN_STATUS_NOT_SUPPORTED);
    queue(handle, {x}, {y}, InPlace::yes, [=] {
      std::vector<double> values = x.read();
      const auto of_image = values.size() / static_cast<size_t>(x.images());
      for (auto first = values.begin(); first != values.end(); first += static_cast<int64_t>(of_image)) {
        const auto last = first + static_cast<int64_t>(of_image);
        const double most = *std::max_element(first, last);
        double sum = 0;
        std::for_each(first, last, [&](double& v) { sum += v = std::exp(v - most); });
        std::for_each(first, last, [&](double& v) { v /= sum; });
      }
      write(y, std::move(values), blend);
    });
  });
}

}  // extern "C"
