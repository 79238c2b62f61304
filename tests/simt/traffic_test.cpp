// Source-level figures of memory accesses: what is counted of kernels whose figures are known.

#include "kernels/simt/traffic.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "kernels/simt/simt.h"
#include "tests/simt/guarded.h"
#include "tests/simt/orders.h"

namespace xf::test {
namespace {

using simt::Accesses;
using simt::launch;
using simt::LaunchTraffic;
using simt::SharedAccesses;

__global__ void copy(const float* x, float* y, int stride, int offset) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  simt::store(y + i, simt::load<float>(x + offset + i * stride));
}

__global__ void copy_vectors(const float* x, float* y) {
  using Vector = simt::Pack<float, 4>;
  const int i = static_cast<int>(threadIdx.x) * 4;
  simt::store(y + i, simt::load<Vector>(x + i));
}

// 1024 floats in, 1024 out, each on a sector's border.
struct Floats {
  Guarded<float> x{1024}, y{1024};

  LaunchTraffic of_copy(int blocks, int threads, int stride, int offset) {
    const auto traffic = simt::count_traffic([&] {
      launch(&copy, dim3(static_cast<unsigned>(blocks)), dim3(static_cast<unsigned>(threads)), 0, nullptr,
             x.data(), y.data(), stride, offset);
    });
    REQUIRE(traffic.launches.size() == 1);
    return traffic.launches[0];
  }
};

void check(const Accesses& got, const Accesses& expected) {
  CHECK(got.requests == expected.requests);
  CHECK(got.bytes == expected.bytes);
  CHECK(got.request_sectors == expected.request_sectors);
  CHECK(got.full_sectors == expected.full_sectors);
  CHECK(got.sectors == expected.sectors);
}

TEST_CASE("traffic: one warp's request") {
  in_every_order([] {
    Floats f;
    const LaunchTraffic coalesced = f.of_copy(1, 32, 1, 0);
    check(coalesced.all.loads, {1, 128, 4, 4, 4});
    check(coalesced.all.stores, {1, 128, 4, 4, 4});
    check(f.of_copy(1, 32, 2, 0).all.loads, {1, 128, 8, 0, 8});
    check(f.of_copy(1, 32, 8, 0).all.loads, {1, 128, 32, 0, 32});
    check(f.of_copy(1, 32, 1, 1).all.loads, {1, 128, 5, 3, 5});  // begins between two sectors
    check(f.of_copy(1, 32, 0, 0).all.loads, {1, 128, 1, 0, 1});  // all read one element
    check(f.of_copy(1, 32, -1, 31).all.loads, {1, 128, 4, 4, 4});
  });
}

TEST_CASE("traffic: several warps and blocks") {
  in_every_order([] {
    Floats f;
    check(f.of_copy(2, 48, 1, 0).all.loads, {4, 384, 12, 12, 12});  // each block: a warp, and half a warp
    check(f.of_copy(2, 64, 0, 0).all.loads, {4, 512, 4, 0, 1});
    const auto vectors = simt::count_traffic(
        [&] { launch(&copy_vectors, dim3(1), dim3(64), 0, nullptr, f.x.data(), f.y.data()); });
    check(vectors.launches[0].all.loads, {2, 1024, 32, 32, 32});
    check(vectors.launches[0].all.stores, {2, 1024, 32, 32, 32});
  });
}

// Thread i goes i % 2 + 1 times through the loop.
__global__ void uneven_loop(const float* x, float* y) {
  float sum = 0;
  for (unsigned turn = 0; turn <= threadIdx.x % 2; ++turn) {
    sum += simt::load<float>(x + turn * 32 + threadIdx.x);
  }
  simt::store(y + threadIdx.x, sum);
}

// The upper half of the threads comes to the same line one barrier later.
__global__ void half_after_half(const float* x, float* y) {
  for (unsigned half = 0; half < 2; ++half) {
    if (threadIdx.x / 16 == half) simt::store(y + threadIdx.x, simt::load<float>(x + threadIdx.x));
    __syncthreads();
  }
}

__global__ void half_after_half_of_a_warp(const float* x, float* y) {
  for (unsigned half = 0; half < 2; ++half) {
    if (threadIdx.x / 16 == half) simt::store(y + threadIdx.x, simt::load<float>(x + threadIdx.x));
    __syncwarp();
  }
}

TEST_CASE("traffic: threads that do not go together") {
  in_every_order([] {
    Floats f;
    const auto loads_of = [&](auto* kernel) {
      const auto traffic =
          simt::count_traffic([&] { launch(kernel, dim3(1), dim3(32), 0, nullptr, f.x.data(), f.y.data()); });
      return traffic.launches[0].all.loads;
    };
    check(loads_of(&uneven_loop), {2, 192, 8, 4, 8});
    check(loads_of(&half_after_half), {2, 128, 4, 4, 4});
    check(loads_of(&half_after_half_of_a_warp), {2, 128, 4, 4, 4});
  });
}

TEST_CASE("traffic: regions, names and launches are told apart") {
  Floats f;
  const auto traffic = simt::count_traffic(
      [&] {
        launch(&copy, dim3(1), dim3(64), 0, nullptr, f.x.data(), f.y.data(), 1, 0);
        launch(&copy_vectors, dim3(1), dim3(32), 0, nullptr, f.x.data(), f.y.data());
      },
      {{f.x.data(), 128}, {f.y.data(), 4096}});
  REQUIRE(traffic.launches.size() == 2);
  const LaunchTraffic& first = traffic.launches[0];
  CHECK(first.kernel == "copy");
  CHECK(traffic.launches[1].kernel == "copy_vectors");
  check(first.all.loads, {2, 256, 8, 8, 8});
  check(first.regions[0].loads, {1, 128, 4, 4, 4});
  check(first.regions[0].stores, {});
  check(first.regions[1].loads, {});
  check(first.regions[1].stores, {2, 256, 8, 8, 8});
  CHECK(simt::to_string(traffic).find("copy_vectors") != std::string::npos);
}

TEST_CASE("traffic: counting ends with its launches, failed ones too") {
  Floats f;
  const auto copy_from = [&](size_t byte) {
    const uint8_t* x = reinterpret_cast<const uint8_t*>(f.x.data()) + byte;
    launch(&copy, dim3(1), dim3(32), 0, nullptr, reinterpret_cast<const float*>(x), f.y.data(), 1, 0);
  };
  CHECK_THROWS_AS(simt::count_traffic([&] { copy_from(2); }), simt::KernelError);
  copy_from(0);
  check(simt::count_traffic([&] { copy_from(0); }).launches.at(0).all.loads, {1, 128, 4, 4, 4});
  CHECK(simt::count_traffic([] {}).launches.empty());
}

template <class T>
__global__ void stride_in_shared(int stride) {
  SIMT_SHARED(T, tile, [1024]);
  tile[threadIdx.x * stride % 1024] = T{};
}

template <int Columns>
__global__ void column_of_shared() {
  SIMT_SHARED(float, tile, [32][Columns]);
  tile[threadIdx.x][5] = 1;
}

__global__ void stride_in_dynamic_shared(int stride) {
  SIMT_DYN_SHARED(float, all);
  float* rest = all + 1;  // a pointer is not followed
  rest[threadIdx.x] = 1;
  all[threadIdx.x * stride] = 1;
}

void check(const SharedAccesses& got, const SharedAccesses& expected) {
  CHECK(got.requests == expected.requests);
  CHECK(got.passes == expected.passes);
  CHECK(got.fewest_passes == expected.fewest_passes);
  CHECK(got.degree == expected.degree);
}

template <class... Params, class... Args>
SharedAccesses shared_of(void (*kernel)(Params...), Args... args) {
  const auto traffic =
      simt::count_traffic([&] { launch(kernel, dim3(1), dim3(32), 4096, nullptr, args...); });
  return traffic.launches[0].shared;
}

TEST_CASE("traffic: bank conflicts") {
  in_every_order([] {
    for (const unsigned degree : {1U, 2U, 8U, 32U}) {
      CAPTURE(degree);
      check(shared_of(&stride_in_shared<float>, static_cast<int>(degree)), {1, degree, 1, degree});
      check(shared_of(&stride_in_dynamic_shared, static_cast<int>(degree)), {1, degree, 1, degree});
    }
    check(shared_of(&stride_in_shared<float>, 0), {1, 1, 1, 1});  // one word for all
    check(shared_of(&stride_in_shared<float>, 33), {1, 1, 1, 1});
    check(shared_of(&stride_in_shared<uint16_t>, 1), {1, 1, 1, 1});  // two elements a word
    check(shared_of(&stride_in_shared<uint16_t>, 64), {1, 16, 1, 16});
    check(shared_of(&stride_in_shared<double>, 1), {1, 2, 2, 1});  // half a warp at a time
    check(shared_of(&stride_in_shared<double>, 2), {1, 4, 2, 2});
    check(shared_of(&stride_in_shared<simt::Pack<float, 4>>, 1), {1, 4, 4, 1});
    check(shared_of(&column_of_shared<32>), {1, 32, 1, 32});
    check(shared_of(&column_of_shared<33>), {1, 1, 1, 1});
  });
}

}  // namespace
}  // namespace xf::test
