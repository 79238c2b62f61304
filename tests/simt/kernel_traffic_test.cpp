// The real kernels touch what their head comments state, in whole sectors: source-level figures (traffic.h).
// A new family is a row of families().

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "kernels/cuda/bn_act.h"
#include "kernels/simt/runtime.h"
#include "kernels/simt/traffic.h"
#include "tests/simt/guarded.h"

namespace xf::test {
namespace {

using simt::Accesses;
using simt::LaunchTraffic;

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

// A tensor, and how often the launches together read and write it by their head comment. `asked`: in a read,
// how many threads ask for an element, and meet it in a cache all but once: those of a window, say.
struct Tensor {
  std::string name;
  size_t bytes;
  int reads, writes;
  double asked = 1;
};

// A family at a shape of the networks. `other_bytes`: what its head comment says is moved besides, each way.
struct Family {
  const char* name;
  std::vector<Tensor> tensors;
  size_t other_bytes;
  std::function<void(Memory&)> run;
};

constexpr int64_t kRows = 2 * 28 * 28;
constexpr int kChannels = 128;
constexpr size_t image_bytes(DType dtype) { return static_cast<size_t>(kRows * kChannels) * size_of(dtype); }

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

Family bn_act_batch(const char* name, DType dtype) {
  return {name,
          {{"x", image_bytes(dtype), 2, 0}, {"y", image_bytes(dtype), 0, 1}},
          cuda::bn_act_workspace(kRows, kChannels),
          [=](Memory& m) { bn_act(m, dtype, BnMode::batch, Residual::absent); }};
}

Family bn_act_running(const char* name, DType dtype) {
  const size_t bytes = image_bytes(dtype);
  return {name, {{"x", bytes, 1, 0}, {"residual", bytes, 1, 0}, {"y", bytes, 0, 1}}, 0, [=](Memory& m) {
            bn_act(m, dtype, BnMode::running, Residual::present);
          }};
}

std::vector<Family> families() {
  return {
      bn_act_batch("bn_act, mode batch, f32", DType::f32),
      bn_act_batch("bn_act, mode batch, bf16", DType::bf16),
      bn_act_running("bn_act, mode running, f32", DType::f32),
      bn_act_running("bn_act, mode running, bf16", DType::bf16),
  };
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
void check_passes(const Accesses& a, int passes, size_t bytes, double asked) {
  const double needed = passes * static_cast<double>(bytes);
  CHECK(static_cast<double>(a.sectors * simt::kSectorBytes) >= needed);
  CHECK(static_cast<double>(a.sectors * simt::kSectorBytes) <= 1.1 * needed);
  CHECK(static_cast<double>(a.bytes) <= 1.1 * asked * needed);
  CHECK(a.full_share() >= 0.95);
}

// Of everything that is touched: what is small (parameters, moments) adds little to the memory's traffic. How
// well requests for it use their sectors is not judged: a block asks again and again for what its cache
// holds.
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
      memory.add(t.name, t.bytes);
      regions.push_back({memory(t.name), t.bytes});
      read += t.reads * static_cast<double>(t.bytes);
      written += t.writes * static_cast<double>(t.bytes);
    }
    const auto traffic = simt::count_traffic([&] { family.run(memory); }, regions);
    INFO(std::string(family.name) << "\n" << simt::to_string(traffic));
    for (size_t i = 0; i < regions.size(); ++i) {
      const Tensor& t = family.tensors[i];
      CAPTURE(t.name);
      check_passes(sum(traffic, [&](const auto& l) { return l.regions[i].loads; }), t.reads, t.bytes,
                   t.asked);
      check_passes(sum(traffic, [&](const auto& l) { return l.regions[i].stores; }), t.writes, t.bytes, 1);
    }
    check_total(sum(traffic, [](const auto& l) { return l.all.loads; }), read);
    check_total(sum(traffic, [](const auto& l) { return l.all.stores; }), written);
    for (const LaunchTraffic& l : traffic.launches) CHECK(l.shared.degree == 1);
  }
}

}  // namespace
}  // namespace xf::test
