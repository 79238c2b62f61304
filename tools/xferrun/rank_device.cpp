#include "tools/xferrun/rank_device.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "engine/core/error.h"
#include "engine/core/threads.h"

namespace xf::tool {

namespace {

/// A machine, and which of its cores a rank may use.
struct Place {
  std::array<char, 256> host{};
  cpu_set_t cores{};
};

Place own_place() {
  Place place;
  ::gethostname(place.host.data(), place.host.size() - 1);
  CPU_ZERO(&place.cores);
  ::sched_getaffinity(0, sizeof place.cores, &place.cores);
  return place;
}

}  // namespace

int cores_of_rank(Comm& comm) {
  const Place mine = own_place();
  cpu_set_t cores = mine.cores;
  int sharing = 0;
  for (const Place& other : all_gather(comm, mine)) {
    cpu_set_t common;
    CPU_AND(&common, &mine.cores, &other.cores);
    if (other.host != mine.host || CPU_COUNT(&common) == 0) continue;
    CPU_OR(&cores, &cores, &other.cores);
    ++sharing;
  }
  return share_of_cores(CPU_COUNT(&cores), sharing);
}

void join_ranks(Backend& backend, Comm& comm) {
  const std::vector<char> on_gpu = all_gather(comm, static_cast<char>(backend.name() != "cpu"));
  for (size_t rank = 1; rank < on_gpu.size(); ++rank)
    if (on_gpu[rank] != on_gpu[0])
      throw UnavailableError(
          "--device",
          fmt::format("rank {} has {}, and rank 0 has {}", rank,
                      on_gpu[rank] != 0 ? "a GPU" : "no GPU of its own", on_gpu[0] != 0 ? "one" : "none"),
          "start one rank for each GPU, or give --device cpu");
  backend.join(comm);
}

}  // namespace xf::tool
