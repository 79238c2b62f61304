// Softmax and its cross-entropy. Few numbers (images x classes), so accuracy comes before speed: one task an
// image, sums in f64.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/lower.h"
#include "kernels/cpu/own_kernel.h"
#include "kernels/cpu/tiles.h"

namespace xf::cpu {

namespace {

/// Fills `p` with the softmax of k logits; returns log Σ exp(logit).
double softmax(const float* logits, int64_t k, float* p) {
  const double largest = *std::max_element(logits, logits + k);
  double sum = 0;
  for (int64_t j = 0; j < k; ++j) sum += std::exp(static_cast<double>(logits[j]) - largest);
  const double log_sum = largest + std::log(sum);
  for (int64_t j = 0; j < k; ++j)
    p[j] = static_cast<float>(std::exp(static_cast<double>(logits[j]) - log_sum));
  return log_sum;
}

void need_f32(const Node& node) {
  if (node.inputs[0].spec().dtype != DType::f32) unsupported(node, "logits and losses must be f32");
}

class SoftmaxKernel final : public OwnKernel {
 public:
  explicit SoftmaxKernel(const Node& node) : OwnKernel("softmax", node) { need_f32(node); }
  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const Ref x = in(operands, 0), y = out(operands, 0);
    const int64_t k = x.spec.shape.c;
    parallel_for(x.spec.shape.rows(),
                 [&](int64_t i) { softmax(x.as<float>() + i * k, k, y.as<float>() + i * k); });
  }
  [[nodiscard]] bool in_place(int, int input) const override { return input == 0; }
};

/// What both directions read beside the logits or probabilities: operands `first` … `first + 2`.
struct Targets {
  const int32_t* labels;
  const float *image_weights, *class_weights;
  double smoothing;
  int64_t classes;

  [[nodiscard]] double weight(int64_t i) const {
    const double w = image_weights[i];
    return class_weights == nullptr ? w : w * class_weights[labels[i]];
  }
  [[nodiscard]] double total_weight(int64_t images) const {
    double sum = 0;
    for (int64_t i = 0; i < images; ++i) sum += weight(i);
    return sum;
  }
  [[nodiscard]] double target(int64_t i, int64_t j) const {
    return (j == labels[i] ? 1 - smoothing : 0) + smoothing / static_cast<double>(classes);
  }
};

class SoftmaxXentKernel final : public OwnKernel {
 public:
  SoftmaxXentKernel(const SoftmaxXent& op, const Node& node)
      : OwnKernel("softmax_xent", node), op_(op), shape_(node.inputs[0].shape()) {
    need_f32(node);
  }
  [[nodiscard]] size_t workspace() const override {
    return static_cast<size_t>(shape_.n) * (sizeof(double) + sizeof(int64_t)) +
           static_cast<size_t>(shape_.count()) * sizeof(float);
  }

  void run(Stream&, std::span<const Ref> operands, Scratch scratch) override {
    const Targets t{in(operands, 1).as<int32_t>(), in(operands, 2).as<float>(), in(operands, 3).as<float>(),
                    op_.label_smoothing, shape_.c};
    const auto* logits = in(operands, 0).as<float>();
    auto* loss = reinterpret_cast<double*>(scratch.data);
    auto* rank = reinterpret_cast<int64_t*>(loss + shape_.n);
    auto* p = out(operands, 1) ? out(operands, 1).as<float>() : reinterpret_cast<float*>(rank + shape_.n);
    parallel_for(shape_.n, [&](int64_t i) {
      one_image(t, i, logits + i * shape_.c, p + i * shape_.c, loss[i], rank[i]);
    });
    reduce(t, loss, rank, operands);
  }

 private:
  /// The loss of image i, and how many classes are likelier than its label.
  static void one_image(const Targets& t, int64_t i, const float* x, float* p, double& loss, int64_t& rank) {
    const double log_sum = softmax(x, t.classes, p);
    const int64_t label = t.labels[i];
    double spread = 0;
    rank = 0;
    for (int64_t j = 0; j < t.classes; ++j) {
      spread += log_sum - x[j];
      // Written so that a NaN is never a hit.
      if (!(x[j] <= x[label]) || (x[j] == x[label] && j < label)) ++rank;
    }
    loss = (1 - t.smoothing) * (log_sum - x[label]) + t.smoothing * spread / static_cast<double>(t.classes);
  }

  void reduce(const Targets& t, const double* loss, const int64_t* rank,
              std::span<const Ref> operands) const {
    const Ref mean = out(operands, 0), hits = out(operands, 2), losses = out(operands, 3);
    double sum = 0;
    std::array<double, 5> hit{};
    for (int64_t i = 0; i < shape_.n; ++i) {
      if (t.weight(i) != 0) sum += t.weight(i) * loss[i];
      for (int64_t j = rank[i]; j < 5; ++j)
        hit[static_cast<size_t>(j)] += static_cast<double>(t.image_weights[i]);
      if (losses) losses.as<float>()[i] = static_cast<float>(loss[i]);
    }
    const double total = t.total_weight(shape_.n);
    if (mean) *mean.as<float>() = total == 0 ? 0.0F : static_cast<float>(sum / total);
    if (hits)
      std::transform(hit.begin(), hit.end(), hits.as<float>(),
                     [](double h) { return static_cast<float>(h); });
  }

  SoftmaxXent op_;
  Shape shape_;
};

class SoftmaxXentBwdKernel final : public OwnKernel {
 public:
  SoftmaxXentBwdKernel(const SoftmaxXentBwd& op, const Node& node)
      : OwnKernel("softmax_xent_bwd", node), op_(op), shape_(node.inputs[1].shape()) {
    need_f32(node);
  }
  [[nodiscard]] bool in_place(int, int input) const override { return input == 1; }

  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const Targets t{in(operands, 2).as<int32_t>(), in(operands, 3).as<float>(), in(operands, 4).as<float>(),
                    op_.label_smoothing, shape_.c};
    const auto* p = in(operands, 1).as<float>();
    auto* dlogits = out(operands, 0).as<float>();
    const double total = t.total_weight(shape_.n);
    const double scale = total == 0 ? 0.0 : *in(operands, 0).as<float>() / total;
    parallel_for(shape_.n, [&](int64_t i) {
      const double w = scale * t.weight(i);
      for (int64_t j = 0; j < shape_.c; ++j) {
        const int64_t e = i * shape_.c + j;
        dlogits[e] = w == 0 ? 0.0F : static_cast<float>(w * (p[e] - t.target(i, j)));
      }
    });
  }

 private:
  SoftmaxXentBwd op_;
  Shape shape_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Softmax&, const Node& node, const Context&) {
  return std::make_unique<SoftmaxKernel>(node);
}

std::unique_ptr<Kernel> lower(const SoftmaxXent& op, const Node& node, const Context&) {
  return std::make_unique<SoftmaxXentKernel>(op, node);
}

std::unique_ptr<Kernel> lower(const SoftmaxXentBwd& op, const Node& node, const Context&) {
  return std::make_unique<SoftmaxXentBwdKernel>(op, node);
}

}  // namespace xf::cpu
