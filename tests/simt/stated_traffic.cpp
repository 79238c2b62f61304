#include "tests/simt/stated_traffic.h"

#include <doctest/doctest.h>

#include "kernels/simt/runtime.h"
#include "kernels/simt/traffic.h"

namespace xf::test {
namespace {

using simt::Accesses;
using simt::LaunchTraffic;

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

// Of a tensor: fewer sectors or bytes than it has would mean elements left out, or accesses that nobody
// counted.
void check_passes(const Accesses& a, int passes, const Tensor& t, double asked) {
  const double needed = passes * static_cast<double>(t.bytes);
  CHECK(static_cast<double>(a.sectors * simt::kSectorBytes) >= needed);
  CHECK(static_cast<double>(a.sectors * simt::kSectorBytes) <= 1.1 * needed);
  CHECK(static_cast<double>(a.bytes) >= needed);
  CHECK(static_cast<double>(a.bytes) <= 1.1 * asked * needed);
  CHECK(a.full_share() >= t.full);
}

// Of everything that is touched: what is small (parameters, moments) adds little to the memory's traffic. How
// well requests for it use their sectors is not judged: a block asks again and again for what its cache
// holds.
void check_total(const Accesses& a, double stated_bytes) {
  CHECK(static_cast<double>(a.sectors * simt::kSectorBytes) <= 1.1 * stated_bytes);
}

void check(const Family& family) {
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
  INFO(family.name << "\n" << simt::to_string(traffic));
  for (size_t i = 0; i < regions.size(); ++i) {
    const Tensor& t = family.tensors[i];
    CAPTURE(t.name);
    check_passes(sum(traffic, [&](const auto& l) { return l.regions[i].loads; }), t.reads, t, t.asked);
    check_passes(sum(traffic, [&](const auto& l) { return l.regions[i].stores; }), t.writes, t, 1);
  }
  check_total(sum(traffic, [](const auto& l) { return l.all.loads; }), read);
  check_total(sum(traffic, [](const auto& l) { return l.all.stores; }), written);
  for (const LaunchTraffic& l : traffic.launches) CHECK(l.shared.degree == 1);
}

}  // namespace

Guarded<uint8_t> Memory::zeros(size_t bytes) {
  Guarded<uint8_t> memory(static_cast<int64_t>(bytes));
  std::memset(memory.data(), 0, bytes);
  return memory;
}

std::string named(const char* family, DType dtype) {
  return std::string(family) + ", " + std::string(name(dtype));
}

void check_traffic(const std::vector<Family>& families) {
  simt::set_schedule({});
  for (const Family& family : families) check(family);
}

}  // namespace xf::test
