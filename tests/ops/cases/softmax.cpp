// softmax, softmax_xent and its gradient.

#include <fmt/format.h>

#include "tests/ops/cases/cases.h"

namespace xf::test {
namespace {

std::string text(int64_t images, int64_t classes, float smoothing, const char* with) {
  return fmt::format("{} images of {} classes, smoothing {}{}", images, classes, smoothing, with);
}

OpCase loss(int64_t images, int64_t classes, float smoothing, Operand class_weights, const char* with,
            Fill logits = normal(0, 3)) {
  const Shape each{images, 1, 1, 1};
  return {text(images, classes, smoothing, with),
          SoftmaxXent{smoothing},
          {fixed({images, 1, 1, classes}, std::move(logits)), fixed(each, below(classes), DType::i32),
           fixed(each, any_of({1, 1, 1, 0.5, 0})), std::move(class_weights)},
          {0, 1, 2, 3}};
}

OpCase gradient(int64_t images, int64_t classes, float smoothing, Operand class_weights, const char* with) {
  const Shape each{images, 1, 1, 1};
  return {text(images, classes, smoothing, with),
          SoftmaxXentBwd{smoothing},
          {fixed({1, 1, 1, 1}, any_of({1, 0.25, 1024})), fixed({images, 1, 1, classes}, uniform(0, 1)),
           fixed(each, below(classes), DType::i32), fixed(each, any_of({1, 1, 1, 0.5, 0})),
           std::move(class_weights)}};
}

}  // namespace

std::vector<OpCase> softmax_cases() {
  std::vector<OpCase> cases;
  for (const int64_t k : kChannels) {
    cases.push_back({fmt::format("{} classes", k), Softmax{}, {fixed({3, 1, 1, k}, normal(0, 5))}});
    for (const float smoothing : {0.0F, 0.1F}) {
      const Operand class_weights = per_channel(k, uniform(0.1, 3));
      cases.push_back(with_gradients(loss(7, k, smoothing, absent(), ""), {0}));
      cases.push_back(with_gradients(loss(7, k, smoothing, class_weights, ", class weights"), {0}));
      cases.push_back(gradient(7, k, smoothing, absent(), ""));
      cases.push_back(gradient(7, k, smoothing, class_weights, ", class weights"));
    }
  }
  cases.push_back({"1000 classes", Softmax{}, {fixed({2, 1, 1, 1000}, normal(0, 5))}});
  // More classes than a thread block has threads, and beside them a number that no vector divides.
  for (const int64_t k : {1000, 1501}) {
    const Operand class_weights = per_channel(k, uniform(0.1, 3));
    cases.push_back(loss(3, k, 0.1F, class_weights, ", class weights"));
    cases.push_back(loss(2, k, 0, absent(), ", equal logits", any_of({-1, 0, 2})));
    cases.push_back(gradient(3, k, 0.1F, class_weights, ", class weights"));
  }
  // More images than one thread block has threads.
  cases.push_back(loss(600, 5, 0.1F, per_channel(5, uniform(0.1, 3)), ", class weights"));
  cases.push_back(gradient(600, 5, 0.1F, per_channel(5, uniform(0.1, 3)), ", class weights"));
  cases.push_back({"large logits", Softmax{}, {fixed({2, 1, 1, 9}, any_of({-1e4, -200, 0, 300, 1e4}))}});
  cases.push_back(loss(1, 27, 0, absent(), ", batch 1"));
  cases.back().in[2].fill = any_of({1});
  cases.push_back(loss(33, 6, 0, absent(), ", equal logits", any_of({-1, 0, 2})));
  cases.push_back(loss(9, 12, 0.1F, absent(), ", far apart", any_of({-1e3, -90, 0, 90, 1e3})));
  cases.push_back(loss(4, 5, 0, absent(), ", every image masked"));
  cases.back().in[2].fill = any_of({0});
  cases.push_back(gradient(4, 5, 0, absent(), ", every image masked"));
  cases.back().in[3].fill = any_of({0});
  cases.push_back(loss(4, 5, 0, absent(), ", class weights left off"));
  cases.back().in.pop_back();
  return cases;
}

}  // namespace xf::test
