// Memory traffic (stated_traffic.h) of pooling and its gradients.

#include <doctest/doctest.h>

#include <vector>

#include "kernels/cuda/global_avg_pool.h"
#include "kernels/cuda/pool.h"
#include "tests/simt/stated_traffic.h"

namespace xf::test {
namespace {

// 3 x 3, padded by one position: a window asks for 9 elements, of which the stride leaves each to 9 / stride²
// windows.
cuda::PoolGeometry windows(PoolKind kind, int side, int stride, int channels, DType dtype) {
  const cuda::PoolAxis axis{side, (side - 1) / stride + 1, 3, stride, 1, 0, side};
  return {kind, axis, axis, 1, channels, dtype};
}

struct Sizes {
  size_t x, y, argmax;
};

Sizes sizes(const cuda::PoolGeometry& g) {
  const int64_t in = int64_t{g.h.in} * g.w.in * g.channels, out = int64_t{g.h.out} * g.w.out * g.channels;
  return {bytes_of(in, g.dtype), bytes_of(out, g.dtype), static_cast<size_t>(out)};
}

// The stem of a ResNet.
cuda::PoolGeometry stem(DType dtype) { return windows(PoolKind::max, 112, 2, 64, dtype); }
// A branch of an Inception block.
cuda::PoolGeometry branch(DType dtype) { return windows(PoolKind::average, 35, 1, 192, dtype); }

Family max_pool(DType dtype) {
  const auto g = stem(dtype);
  const Sizes s = sizes(g);
  // The first element of a window is asked for twice in the source, 10 times a window in all.
  return {
      named("pool, max with argmax", dtype),
      {{"x", s.x, 1, 0, 10.0 / 4}, {"y", s.y, 0, 1}, {"argmax", s.argmax, 0, 1}},
      0,
      [=](Memory& m) {
        const cuda::PoolTensors t{m("x"), g.channels, m("y"), g.channels, static_cast<uint8_t*>(m("argmax"))};
        REQUIRE(cuda::pool(g, t, nullptr) == 0);
      }};
}

Family max_pool_bwd(DType dtype) {
  const auto g = stem(dtype);
  const Sizes s = sizes(g);
  return {named("pool_bwd, max", dtype),
          {{"dy", s.y, 1, 0, 9}, {"argmax", s.argmax, 1, 0, 9}, {"dx", s.x, 0, 1}},
          0,
          [=](Memory& m) {
            const cuda::PoolBwdTensors t{m("dy"), g.channels, static_cast<const uint8_t*>(m("argmax")),
                                         m("dx"), g.channels};
            REQUIRE(cuda::pool_bwd(g, t, nullptr) == 0);
          }};
}

Family average_pool(DType dtype) {
  const auto g = branch(dtype);
  const Sizes s = sizes(g);
  return {named("pool, average", dtype), {{"x", s.x, 1, 0, 9}, {"y", s.y, 0, 1}}, 0, [=](Memory& m) {
            REQUIRE(cuda::pool(g, {m("x"), g.channels, m("y"), g.channels, nullptr}, nullptr) == 0);
          }};
}

Family average_pool_bwd(DType dtype) {
  const auto g = branch(dtype);
  const Sizes s = sizes(g);
  return {named("pool_bwd, average", dtype), {{"dy", s.y, 1, 0, 9}, {"dx", s.x, 0, 1}}, 0, [=](Memory& m) {
            REQUIRE(cuda::pool_bwd(g, {m("dy"), g.channels, nullptr, m("dx"), g.channels}, nullptr) == 0);
          }};
}

// Of the f32 row that an image has. Where a thread has eight channels, in 16 bits, it moves their f32 in two
// accesses of 16 bytes, each of which touches one half of 32 sectors.
double full_of_means(DType dtype) { return dtype == DType::f32 ? kFull : 0; }

Family global_avg_pool(const char* name, const cuda::ImageMaps& maps, double asked, double full) {
  return {named(name, maps.dtype),
          {{"x", bytes_of(maps.images * maps.pixels * maps.channels, maps.dtype), 1, 0, asked},
           {"y", bytes_of(maps.images * maps.channels, DType::f32), 0, 1, 1, full}},
          cuda::global_avg_pool_workspace(maps),
          [=](Memory& m) {
            const cuda::GlobalAvgPoolTensors t{m("x"), maps.channels, m.tensor("y"), maps.channels};
            void* workspace = m.bytes(cuda::global_avg_pool_workspace(maps));
            REQUIRE(cuda::global_avg_pool(maps, t, workspace, nullptr) == 0);
          }};
}

Family global_avg_pool_bwd(DType dtype) {
  const cuda::ImageMaps maps{4, 7 * 7, 512, dtype};
  // 16 threads, of 8 rows in 2 blocks, share the pixels, and each asks for the gradient that it spreads.
  return {named("global_avg_pool_bwd", dtype),
          {{"dy", bytes_of(maps.images * maps.channels, DType::f32), 1, 0, 16, full_of_means(dtype)},
           {"dx", bytes_of(maps.images * maps.pixels * maps.channels, dtype), 0, 1}},
          0,
          [=](Memory& m) {
            const cuda::GlobalAvgPoolBwdTensors t{m.tensor("dy"), maps.channels, m("dx"), maps.channels};
            REQUIRE(cuda::global_avg_pool_bwd(maps, t, nullptr) == 0);
          }};
}

std::vector<Family> families() {
  std::vector<Family> all;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    all.push_back(max_pool(dtype));
    all.push_back(max_pool_bwd(dtype));
    all.push_back(average_pool(dtype));
    all.push_back(average_pool_bwd(dtype));
    // A thread asks for 8 pixels at a time, in place of those beyond the map for the last one again.
    all.push_back(
        global_avg_pool("global_avg_pool, 7 x 7", {4, 7 * 7, 512, dtype}, 64.0 / 49, full_of_means(dtype)));
    all.push_back(
        global_avg_pool("global_avg_pool, 112 x 112 in splits", {1, 112 * 112, 32, dtype}, 1, kFull));
    all.push_back(global_avg_pool_bwd(dtype));
  }
  return all;
}

TEST_CASE("traffic: pooling touches what it states, in whole sectors") { check_traffic(families()); }

}  // namespace
}  // namespace xf::test
