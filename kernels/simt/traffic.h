#pragma once
// Source-level figures of a kernel's memory accesses, counted while it runs on the CPU: what its loads and
// stores ask for, warp by warp. What the device's compiler makes of them (merged, hoisted, kept in a
// register) and what its caches take off is not in them.
//
// The threads of a warp run one after another here, so a request, one access instruction of one warp, is put
// together afterwards: of the accesses that threads of one warp make
//   - in one line of the source, and of one kind,
//   - for the same time in that line
//   - since the same barrier (of the block, or an exchange of the whole warp).
// That is what a device does as long as the threads of a warp walk through a loop side by side. Where an
// inner loop is longer for one thread than for another, and they meet again after it, the counts since the
// barrier drift apart and its requests are put together otherwise. What a launch touches as a whole does not
// depend on it.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace xf::simt {

/// Bytes that move between a device's memory and its caches at once.
constexpr uint64_t kSectorBytes = 32;

/// Loads, or stores, of global memory by simt::load or simt::store. Nothing else is counted: no atomics.
struct Accesses {
  uint64_t requests = 0;
  uint64_t bytes = 0;            ///< asked for, by every thread
  uint64_t request_sectors = 0;  ///< distinct sectors of a request, over all requests
  uint64_t full_sectors = 0;     ///< those of them whose 32 bytes the request uses all
  uint64_t sectors = 0;          ///< distinct sectors of the launch

  /// full_sectors over request_sectors; 1 without any.
  [[nodiscard]] double full_share() const;
};

/// Accesses to elements of shared arrays, reads and writes together.
struct SharedAccesses {
  uint64_t requests = 0;
  /// How often the 32 banks of 4 bytes serve a request: once for each of the different words that fall on its
  /// busiest bank. Requests of 8 and 16 bytes a thread are served by the half and the quarter warp.
  uint64_t passes = 0;
  uint64_t fewest_passes = 0;  ///< without any conflict
  uint64_t degree = 1;         ///< the most different words on one bank at once; 1: no conflict
};

/// Loads and stores.
struct Flow {
  Accesses loads, stores;
};

/// A part of memory to be counted apart.
struct Region {
  const void* data = nullptr;
  size_t bytes = 0;
};

struct LaunchTraffic {
  std::string kernel;         ///< "normalise<float, 4>"; empty in a program without symbols
  Flow all;                   ///< of the whole memory
  std::vector<Flow> regions;  ///< of the caller's regions, in their order
  SharedAccesses shared;
};

struct Traffic {
  std::vector<LaunchTraffic> launches;  ///< in their order
};

/// Runs `launches` and counts what every launch that runs meanwhile accesses. Work that a queue (launch.h)
/// keeps for later counts when it runs. Rethrows what `launches` throws. Calls do not nest.
Traffic count_traffic(const std::function<void()>& launches, const std::vector<Region>& regions = {});

/// A line a launch.
std::string to_string(const Traffic& traffic);

}  // namespace xf::simt
