#pragma once
// The ranks that this process computes with: it alone, unless mpirun started several.

#include "engine/data/loader.h"
#include "engine/dist/comm.h"

namespace xf::tool {

/// All ranks of this process's world, of which MPI allows one; rank 0 reads and writes for all.
Comm& world();
[[nodiscard]] bool is_writer();
/// This rank's share of the images of a step.
Shard share();

/// Being one of the ranks that the launcher started, as long as it lives. Ranks but the first log warnings
/// alone, which name them.
class Membership {
 public:
  /// Throws UnavailableError where the launcher started several and they cannot be joined.
  Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  ~Membership();
  /// This rank failed where others may go on: ends them all with an exit code. Returns where it is alone.
  static void end_all(int exit_code);
};

}  // namespace xf::tool
