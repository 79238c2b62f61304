#include "kernels/simt/traffic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "kernels/simt/block.h"
#include "kernels/simt/counter.h"

namespace xf::simt {

bool counting = false;

namespace {

// One thread's part in a request.
struct Part {
  unsigned lane;
  uintptr_t address;
  size_t bytes;
};

// A line of the source, and what it does there.
struct Place {
  Site site;
  Access access;
  friend bool operator==(const Place& a, const Place& b) {
    return a.site.line == b.site.line && a.access == b.access &&
           (a.site.file == b.site.file || std::strcmp(a.site.file, b.site.file) == 0);
  }
};

// What tells requests of one block apart.
struct RequestKey {
  Place place;
  unsigned warp, phase, turn;
  friend bool operator==(const RequestKey& a, const RequestKey& b) = default;
};

struct Hash {
  size_t operator()(const RequestKey& key) const {
    size_t h = 0;
    for (const size_t part :
         {static_cast<size_t>(key.place.site.line), static_cast<size_t>(key.place.access),
          static_cast<size_t>(key.warp), static_cast<size_t>(key.phase), static_cast<size_t>(key.turn)}) {
      h = (h ^ part) * 0x9E3779B97F4A7C15U;
      h ^= h >> 29U;
    }
    return h;
  }
};

// How often a thread has been at each place in its present phase.
struct Turns {
  unsigned phase = 0;
  std::vector<std::pair<Place, unsigned>> at;

  unsigned next(const Place& place) {
    for (auto& [known, turns] : at) {
      if (known == place) return turns++;
    }
    at.emplace_back(place, 1U);
    return 0;
  }
};

using Sectors = std::unordered_set<uintptr_t>;

// The distinct sectors of one Flow.
struct Touched {
  Sectors loads, stores;
};

struct Count {
  Traffic traffic;
  std::vector<Region> regions;
  std::vector<Touched> touched;  // of the launch: the whole memory, then each region
  // Of the block.
  std::vector<Turns> turns;
  std::unordered_map<RequestKey, std::vector<Part>, Hash> requests;
};

Count* count = nullptr;  // the one of count_traffic

bool lies_in(const Part& part, const Region& region) {
  const auto first = reinterpret_cast<uintptr_t>(region.data);
  return part.address >= first && part.address < first + region.bytes;
}

// Each sector's number, and a bit for each of its bytes that is used.
std::vector<std::pair<uintptr_t, uint32_t>> sectors_of(std::span<const Part> request) {
  std::vector<std::pair<uintptr_t, uint32_t>> pieces, sectors;
  for (const Part& part : request) {
    for (uintptr_t at = part.address; at < part.address + part.bytes; ++at) {
      const uint32_t bit = 1U << at % kSectorBytes;
      if (pieces.empty() || pieces.back().first != at / kSectorBytes)
        pieces.emplace_back(at / kSectorBytes, 0U);
      pieces.back().second |= bit;
    }
  }
  std::ranges::sort(pieces);
  for (const auto& [sector, bits] : pieces) {
    if (sectors.empty() || sectors.back().first != sector) sectors.emplace_back(sector, 0U);
    sectors.back().second |= bits;
  }
  return sectors;
}

void add_request(std::span<const Part> request, Accesses& to, Sectors& touched) {
  if (request.empty()) return;
  ++to.requests;
  for (const Part& part : request) to.bytes += part.bytes;
  for (const auto& [sector, bits] : sectors_of(request)) {
    ++to.request_sectors;
    to.full_sectors += static_cast<uint64_t>(bits == ~0U);
    touched.insert(sector);
  }
  to.sectors = touched.size();
}

void add_request(Access access, std::span<const Part> request, Flow& to, Touched& touched) {
  if (access == Access::load) {
    add_request(request, to.loads, touched.loads);
  } else {
    add_request(request, to.stores, touched.stores);
  }
}

// The different words on the busiest bank.
uint64_t busiest_bank(std::span<const Part> parts) {
  constexpr size_t banks = 32, word = 4;
  std::array<std::vector<uintptr_t>, banks> words;
  for (const Part& part : parts) {
    for (uintptr_t w = part.address / word; w * word < part.address + part.bytes; ++w) {
      std::vector<uintptr_t>& known = words[w % banks];
      if (std::ranges::find(known, w) == known.end()) known.push_back(w);
    }
  }
  return std::ranges::max(words, {}, &std::vector<uintptr_t>::size).size();
}

void add_shared_request(std::span<const Part> request, SharedAccesses& to) {
  size_t widest = 0;
  for (const Part& part : request) widest = std::max(widest, part.bytes);
  const unsigned lanes_at_once = widest <= 4 ? kWarp : widest <= 8 ? kWarp / 2 : kWarp / 4;
  ++to.requests;
  for (unsigned first = 0; first < kWarp; first += lanes_at_once) {
    std::vector<Part> group;
    std::ranges::copy_if(request, std::back_inserter(group),
                         [&](const Part& p) { return p.lane / lanes_at_once == first / lanes_at_once; });
    if (group.empty()) continue;
    const uint64_t words = busiest_bank(group);
    to.passes += words;
    ++to.fewest_passes;
    to.degree = std::max(to.degree, words);
  }
}

std::string describe(const char* name, const Accesses& a) {
  return fmt::format("{}: {} requests, {} bytes, {} sectors ({} by requests, {:.1f} % of those full)", name,
                     a.requests, a.bytes, a.sectors, a.request_sectors, 100 * a.full_share());
}

}  // namespace

double Accesses::full_share() const {
  return request_sectors == 0 ? 1 : static_cast<double>(full_sectors) / static_cast<double>(request_sectors);
}

void count_launch(const void* kernel) {
  LaunchTraffic launch;
  launch.kernel = function_name(kernel);
  launch.regions.resize(count->regions.size());
  count->traffic.launches.push_back(std::move(launch));
  count->touched.assign(1 + count->regions.size(), {});
}

void count_access(Access access, const void* address, size_t bytes, Site site) {
  const Place place{site, access};
  count->turns.resize(block->threads.size());
  Turns& turns = count->turns[current->linear];
  if (turns.phase != current->phase) turns = {current->phase, {}};
  const RequestKey key{place, current->linear / kWarp, current->phase, turns.next(place)};
  count->requests[key].push_back({lane(), reinterpret_cast<uintptr_t>(address), bytes});
}

void count_block() {
  LaunchTraffic& launch = count->traffic.launches.back();
  std::vector<Part> inside;
  for (const auto& [key, request] : count->requests) {
    const Access access = key.place.access;
    if (access == Access::shared) {
      add_shared_request(request, launch.shared);
      continue;
    }
    add_request(access, request, launch.all, count->touched[0]);
    for (size_t r = 0; r < count->regions.size(); ++r) {
      inside.clear();
      std::ranges::copy_if(request, std::back_inserter(inside),
                           [&](const Part& part) { return lies_in(part, count->regions[r]); });
      add_request(access, inside, launch.regions[r], count->touched[1 + r]);
    }
  }
  count->requests.clear();
  count->turns.clear();
}

Traffic count_traffic(const std::function<void()>& launches, const std::vector<Region>& regions) {
  if (counting) throw InternalError("count_traffic", "accesses are counted already");
  struct Counting {
    explicit Counting(Count& c) {
      count = &c;
      counting = true;
    }
    ~Counting() {
      counting = false;
      count = nullptr;
    }
  };
  Count counts;
  counts.regions = regions;
  {
    const Counting now(counts);
    launches();
  }
  return std::move(counts.traffic);
}

std::string to_string(const Traffic& traffic) {
  std::string text;
  for (const LaunchTraffic& launch : traffic.launches) {
    const SharedAccesses& s = launch.shared;
    text +=
        fmt::format("{}\n  {}\n  {}\n  shared: {} requests, {} passes of the banks ({} without conflicts)\n",
                    launch.kernel, describe("loads", launch.all.loads), describe("stores", launch.all.stores),
                    s.requests, s.passes, s.fewest_passes);
  }
  return text;
}

}  // namespace xf::simt
