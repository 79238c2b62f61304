#pragma once
// The convolutions of the networks, each distinct one once.

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/graph/ops.h"

namespace xf::bench {

struct NetworkConv {
  std::string network;
  Shape input;  ///< of one image
  int64_t outputs = 0;
  Conv2d op;
  int count = 1;  ///< how often the network has it
  /// "InceptionV3/35x35x48-64/5x5".
  [[nodiscard]] std::string name() const {
    return fmt::format("{}/{}x{}x{}-{}/{}x{}{}", network, input.h, input.w, input.c, outputs, op.kernel_h,
                       op.kernel_w, op.stride_h > 1 ? fmt::format("s{}", op.stride_h) : "");
  }
};

/// Collects convolutions on square maps.
class ConvList {
 public:
  explicit ConvList(std::string network) : network_(std::move(network)) {}

  /// Windows with "same" padding.
  void window(int64_t side, int64_t in, int64_t out, int kh, int kw, int stride = 1) {
    add(side, in, out, kh, kw, stride, {kh / 2, kh / 2, kw / 2, kw / 2});
  }
  void same(int64_t side, int64_t in, int64_t out, int k, int stride = 1) {
    window(side, in, out, k, k, stride);
  }
  void valid(int64_t side, int64_t in, int64_t out, int k, int stride) {
    add(side, in, out, k, k, stride, {});
  }

  [[nodiscard]] std::vector<NetworkConv> take() { return std::move(convs_); }

 private:
  void add(int64_t side, int64_t in, int64_t out, int kh, int kw, int stride, const Padding& pad) {
    NetworkConv c{network_, {1, side, side, in}, out, {kh, kw, stride, stride, pad}};
    for (NetworkConv& known : convs_)
      if (known.name() == c.name()) {
        ++known.count;
        return;
      }
    convs_.push_back(c);
  }
  std::string network_;
  std::vector<NetworkConv> convs_;
};

inline std::vector<NetworkConv> inception_v3() {
  ConvList l("InceptionV3");
  l.valid(299, 3, 32, 3, 2);
  l.valid(149, 32, 32, 3, 1);
  l.same(147, 32, 64, 3);
  l.same(73, 64, 80, 1);
  l.valid(73, 80, 192, 3, 1);
  for (const int64_t in : {192, 256, 288}) {
    for (const int64_t out : {64, 48, 64}) l.same(35, in, out, 1);
    l.same(35, 48, 64, 5);
    l.same(35, 64, 96, 3);
    l.same(35, 96, 96, 3);
    l.same(35, in, in == 192 ? 32 : 64, 1);
  }
  l.valid(35, 288, 384, 3, 2);
  l.same(35, 288, 64, 1);
  l.same(35, 64, 96, 3);
  l.valid(35, 96, 96, 3, 2);
  for (const int64_t c : {128, 160, 160, 192}) {
    for (const int64_t out : {int64_t{192}, int64_t{192}, c, c}) l.same(17, 768, out, 1);
    l.window(17, c, c, 1, 7);
    l.window(17, c, 192, 7, 1);
    l.window(17, c, c, 7, 1);
    l.window(17, c, c, 1, 7);
    l.window(17, c, c, 7, 1);
    l.window(17, c, 192, 1, 7);
  }
  for (int i = 0; i < 2; ++i) l.same(17, 768, 192, 1);
  l.valid(17, 192, 320, 3, 2);
  l.window(17, 192, 192, 1, 7);
  l.window(17, 192, 192, 7, 1);
  l.valid(17, 192, 192, 3, 2);
  for (const int64_t in : {1280, 2048}) {
    for (const int64_t out : {320, 384, 448, 192}) l.same(8, in, out, 1);
    for (int i = 0; i < 2; ++i) {
      l.window(8, 384, 384, 1, 3);
      l.window(8, 384, 384, 3, 1);
    }
    l.same(8, 448, 384, 3);
  }
  return l.take();
}

inline std::vector<NetworkConv> resnet50() {
  ConvList l("ResNet50");
  l.same(224, 3, 64, 7, 2);
  int64_t in = 64, side = 56;
  const int blocks[] = {3, 4, 6, 3};
  for (int stage = 0; stage < 4; ++stage) {
    const int64_t width = int64_t{64} << stage;
    for (int block = 0; block < blocks[stage]; ++block) {
      const int stride = stage > 0 && block == 0 ? 2 : 1;
      l.same(side, in, width, 1);
      l.same(side, width, width, 3, stride);
      if (block == 0) l.same(side, in, 4 * width, 1, stride);
      side /= stride;
      l.same(side, width, 4 * width, 1);
      in = 4 * width;
    }
  }
  return l.take();
}

/// InceptionV3 for 299x299 images, then ResNet50 (stride in the 3x3) for 224x224.
inline std::vector<NetworkConv> network_convs() {
  std::vector<NetworkConv> all = inception_v3();
  for (NetworkConv& c : resnet50()) all.push_back(std::move(c));
  return all;
}

}  // namespace xf::bench
