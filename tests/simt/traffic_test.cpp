// Source-level figures of memory accesses: what is counted of kernels whose figures are known, and that the
// real kernels touch what their head comments state.

#include "kernels/simt/traffic.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "kernels/cuda/bn_act.h"
#include "kernels/simt/simt.h"
#include "tests/simt/guarded.h"
#include "tests/simt/orders.h"

namespace xf::test {
namespace {

using simt::Accesses;
using simt::launch;
using simt::LaunchTraffic;
using simt::SharedAccesses;

// ---- planted kernels

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

// ---- shared memory

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

// ---- the kernels' families

// What a row of the table below works on: its tensors, and small arrays that it asks for.
class Memory {
 public:
  void add(const std::string& name, size_t bytes) { tensors_.try_emplace(name, zeros(bytes)); }
  void* operator()(const std::string& name) { return tensors_.at(name).data(); }
  float* floats(int64_t count) {
    return static_cast<float*>(bytes(static_cast<size_t>(count) * sizeof(float)));
  }
  void* bytes(size_t count) { return small_.emplace_back(zeros(count)).data(); }

 private:
  static Guarded<uint8_t> zeros(size_t bytes) {
    Guarded<uint8_t> memory(static_cast<int64_t>(bytes));
    std::memset(memory.data(), 0, bytes);
    return memory;
  }
  std::map<std::string, Guarded<uint8_t>> tensors_;
  std::list<Guarded<uint8_t>> small_;
};

// A tensor, and how often the launches together read and write it by their head comment.
struct Tensor {
  std::string name;
  int64_t elements;
  int reads, writes;
};

// A family at a shape of the networks. `other_bytes`: what its head comment says is moved besides, each way.
struct Family {
  const char* name;
  DType dtype;
  std::vector<Tensor> tensors;
  size_t other_bytes;
  std::function<void(Memory&, DType)> run;
};

constexpr int64_t kRows = 4 * 28 * 28;
constexpr int kChannels = 128;
constexpr int64_t kImage = kRows * kChannels;

enum class Residual : uint8_t { absent, present };

void bn_act(Memory& m, DType dtype, BnMode mode, Residual residual) {
  cuda::BnActTensors t;
  t.rows = kRows;
  t.channels = kChannels;
  t.dtype = dtype;
  t.x = m("x");
  t.residual = residual == Residual::present ? m("residual") : nullptr;
  t.y = m("y");
  t.x_stride = t.residual_stride = t.y_stride = kChannels;
  t.gamma = m.floats(kChannels);
  t.beta = m.floats(kChannels);
  t.mean = m.floats(kChannels);
  t.inv_std = m.floats(kChannels);
  t.eps = 1e-3F;
  t.act = Activation::relu;
  const cuda::BnRunning running{m.floats(kChannels), m.floats(kChannels), m.floats(kChannels),
                                m.floats(kChannels), 0.1F};
  void* workspace = m.bytes(cuda::bn_act_workspace(kRows, kChannels));
  REQUIRE((mode == BnMode::batch ? cuda::bn_act_batch(t, running, workspace, nullptr)
                                 : cuda::bn_act_running(t, running, nullptr)) == 0);
}

void bn_act_batch(Memory& m, DType dtype) { bn_act(m, dtype, BnMode::batch, Residual::absent); }
void bn_act_running(Memory& m, DType dtype) { bn_act(m, dtype, BnMode::running, Residual::present); }

const std::vector<Family>& families() {
  using enum DType;
  const std::vector<Tensor> batch = {{"x", kImage, 2, 0}, {"y", kImage, 0, 1}};
  const std::vector<Tensor> running = {{"x", kImage, 1, 0}, {"residual", kImage, 1, 0}, {"y", kImage, 0, 1}};
  const size_t moments = cuda::bn_act_workspace(kRows, kChannels);
  static const std::vector<Family> all = {
      {"bn_act, mode batch, f32", f32, batch, moments, bn_act_batch},
      {"bn_act, mode batch, bf16", bf16, batch, moments, bn_act_batch},
      {"bn_act, mode running, f32", f32, running, 0, bn_act_running},
      {"bn_act, mode running, bf16", bf16, running, 0, bn_act_running},
  };
  return all;
}

// The launches' figures added up: what two of them touch counts twice.
Accesses sum(const simt::Traffic& traffic, const std::function<Accesses(const LaunchTraffic&)>& figures) {
  Accesses all;
  for (const LaunchTraffic& launch : traffic.launches) {
    const Accesses a = figures(launch);
    all.requests += a.requests;
    all.bytes += a.bytes;
    all.request_sectors += a.request_sectors;
    all.full_sectors += a.full_sectors;
    all.sectors += a.sectors;
  }
  return all;
}

// Of a tensor: every pass touches it once, a tenth more at most, in whole sectors. Fewer would mean accesses
// that nobody counted.
void check_passes(const Accesses& a, int passes, size_t bytes) {
  const double needed = passes * static_cast<double>(bytes) / static_cast<double>(simt::kSectorBytes);
  CHECK(static_cast<double>(a.sectors) >= needed);
  CHECK(static_cast<double>(a.sectors) <= 1.1 * needed);
  CHECK(a.full_share() >= 0.95);
}

// Of everything that is touched.
void check_total(const Accesses& a, double stated_bytes) {
  CHECK(static_cast<double>(a.sectors * simt::kSectorBytes) <= 1.1 * stated_bytes);
}

TEST_CASE("traffic: the kernels touch what they state, in whole sectors") {
  simt::set_schedule({});
  for (const Family& family : families()) {
    Memory memory;
    std::vector<simt::Region> regions;
    auto read = static_cast<double>(family.other_bytes), written = read;
    for (const Tensor& t : family.tensors) {
      const size_t bytes = static_cast<size_t>(t.elements) * size_of(family.dtype);
      memory.add(t.name, bytes);
      regions.push_back({memory(t.name), bytes});
      read += t.reads * static_cast<double>(bytes);
      written += t.writes * static_cast<double>(bytes);
    }
    const auto traffic = simt::count_traffic([&] { family.run(memory, family.dtype); }, regions);
    INFO(std::string(family.name) << "\n" << simt::to_string(traffic));
    for (size_t i = 0; i < regions.size(); ++i) {
      const Tensor& t = family.tensors[i];
      CAPTURE(t.name);
      check_passes(sum(traffic, [&](const auto& l) { return l.regions[i].loads; }), t.reads,
                   regions[i].bytes);
      check_passes(sum(traffic, [&](const auto& l) { return l.regions[i].stores; }), t.writes,
                   regions[i].bytes);
    }
    check_total(sum(traffic, [](const auto& l) { return l.all.loads; }), read);
    check_total(sum(traffic, [](const auto& l) { return l.all.stores; }), written);
    for (const LaunchTraffic& l : traffic.launches) CHECK(l.shared.degree == 1);
  }
}

}  // namespace
}  // namespace xf::test
