// kernels/cuda/softmax.cu in every order of threads; its numbers are checked by the op suite.

#include "kernels/cuda/softmax.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <optional>

#include "engine/core/rng.h"
#include "tests/simt/guarded.h"
#include "tests/simt/orders.h"

namespace xf::test {
namespace {

struct Data {
  Data(int64_t n, int64_t k, int64_t gap)
      : images(n),
        classes(k),
        stride(k + gap),
        logits(n, k, stride, gap),
        probabilities(n, k, stride, gap),
        dlogits(n, k, stride, gap),
        labels(n),
        image_weights(n),
        class_weights(k),
        loss(1),
        hits(5),
        losses(n),
        dloss(1),
        workspace(static_cast<int64_t>(cuda::softmax_xent_workspace(n))) {
    Rng rng(5);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t c = 0; c < k; ++c) logits.set(i, c, static_cast<float>(3 * rng.normal()));
      labels.set(0, i, static_cast<int32_t>(rng.below(static_cast<uint64_t>(k))));
      image_weights.set(0, i, i % 4 == 3 ? 0.0F : static_cast<float>(rng.uniform(0.5, 1.5)));
    }
    for (int64_t c = 0; c < k; ++c) class_weights.set(0, c, static_cast<float>(rng.uniform(0.5, 1.5)));
    dloss.set(0, 0, 3);
  }

  [[nodiscard]] cuda::SoftmaxTensors tensors(Guarded<float>& to) {
    return {images, classes, logits.data(), stride, to.data(), stride};
  }
  [[nodiscard]] cuda::XentTargets targets() {
    return {labels.data(), image_weights.data(), class_weights.data(), 0.1F};
  }
  void forward(Guarded<float>& to) {
    REQUIRE(cuda::softmax_xent(tensors(to), targets(), {loss.data(), hits.data(), losses.data()},
                               workspace.data(), nullptr) == 0);
    CHECK(workspace.intact());
  }
  void backward(Guarded<float>& to) {
    const cuda::XentGradients t{images, classes,   dloss.data(), probabilities.data(),
                                stride, to.data(), stride};
    REQUIRE(cuda::softmax_xent_bwd(t, targets(), nullptr) == 0);
  }

  int64_t images, classes, stride;
  Guarded<float> logits, probabilities, dlogits;
  Guarded<int32_t> labels;
  Guarded<float> image_weights, class_weights, loss, hits, losses, dloss;
  Guarded<uint8_t> workspace;
};

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

TEST_CASE("softmax and cross-entropy: the same bits in every order, and in place") {
  for (const int64_t images : {1, 7, 300}) {
    for (const int64_t classes : {1, 27, 200, 1501}) {
      if (images * classes > 20000) continue;
      for (const int64_t gap : {0, 3}) {
        CAPTURE(images);
        CAPTURE(classes);
        CAPTURE(gap);
        std::optional<Data> first;
        in_every_order([&] {
          Data d(images, classes, gap);
          d.forward(d.probabilities);
          d.backward(d.dlogits);
          if (!first) first.emplace(d);
          CHECK(d.loss == first->loss);
          CHECK(d.hits == first->hits);
          CHECK(d.losses == first->losses);
          CHECK(d.probabilities == first->probabilities);
          CHECK(d.dlogits == first->dlogits);
          for (const Guarded<float>* g :
               {&d.logits, &d.probabilities, &d.dlogits, &d.loss, &d.hits, &d.losses})
            CHECK(g->intact());

          d.backward(d.probabilities);
          CHECK(d.probabilities == first->dlogits);
          Data alone(images, classes, gap);
          REQUIRE(cuda::softmax(alone.tensors(alone.logits), nullptr) == 0);
          CHECK(alone.logits == first->probabilities);
          d.forward(d.logits);
          CHECK(d.logits == first->probabilities);
          CHECK(d.losses == first->losses);
          CHECK(d.hits == first->hits);
        });
      }
    }
  }
}

TEST_CASE("cross-entropy: a NaN is never a hit, and reaches the loss unless the image is masked") {
  in_every_order([] {
    for (const float weight : {0.0F, 1.0F}) {
      Data d(7, 9, 0);
      d.image_weights.set(0, 2, weight);
      d.logits.set(2, d.labels.get(0, 2), kNaN);
      Data whole(7, 9, 0);
      whole.image_weights.set(0, 2, 0);
      d.forward(d.probabilities);
      d.backward(d.dlogits);
      whole.forward(whole.probabilities);
      CHECK(std::isnan(d.losses.get(0, 2)));
      CHECK(d.hits == whole.hits);
      if (weight == 0) {
        CHECK(d.loss == whole.loss);
        for (int64_t c = 0; c < 9; ++c) CHECK(d.dlogits.get(2, c) == 0);
      } else {
        CHECK(std::isnan(d.loss.get(0, 0)));
        for (int64_t c = 0; c < 9; ++c) CHECK(std::isnan(d.dlogits.get(2, c)));
      }
    }
  });
}

TEST_CASE("softmax: a NaN reaches every probability of its image, and no other image") {
  Data d(3, 70, 0);
  d.logits.set(1, 40, kNaN);
  REQUIRE(cuda::softmax(d.tensors(d.probabilities), nullptr) == 0);
  for (int64_t c = 0; c < 70; ++c) {
    CHECK_FALSE(std::isnan(d.probabilities.get(0, c)));
    CHECK(std::isnan(d.probabilities.get(1, c)));
    CHECK_FALSE(std::isnan(d.probabilities.get(2, c)));
  }
}

}  // namespace
}  // namespace xf::test
