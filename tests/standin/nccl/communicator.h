#pragma once
// Communicators of ranks that are threads of this process. NCCL's own interface to them is a library apart
// (api.cpp), which is loaded as NCCL is.

#include <nccl.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/standin/streams.h"

namespace xf::standin {

/// What a rank gives to a reduction and wants of it.
struct Reduction {
  const float* from = nullptr;
  float* to = nullptr;
  size_t count = 0;
  ncclRedOp_t op = ncclSum;
};

struct Ranks;

/// A rank of a communicator.
struct Member {
  std::shared_ptr<Ranks> ranks;
  int rank = 0, device = 0;
  size_t begun = 0;                                       ///< reductions that the device has come to
  std::vector<std::shared_ptr<Mark>> waiting;             ///< the ends of those that have not ended
  std::shared_ptr<int> graphs = std::make_shared<int>();  ///< graphs with a reduction share it
  ncclResult_t error = ncclSuccess;                       ///< for ncclCommGetAsyncError
  bool aborted = false;
};

/// As NCCL's functions do; `error` gets a text for ncclGetLastError.
ncclResult_t new_id(ncclUniqueId& id);
ncclResult_t init_rank(std::shared_ptr<Member>& member, int size, const ncclUniqueId& id, int rank,
                       std::string& error);
/// Whether the arguments are right.
ncclResult_t check(const Member& member, const Reduction& what, cudaStream_t stream, std::string& error);
void queue(const std::shared_ptr<Member>& member, const Reduction& what, cudaStream_t stream);
void destroy(Member& member);
void abort(Member& member);

/// From now on no reduction ends on the communicators there are, and all have this error.
void disconnect(ncclResult_t error);

}  // namespace xf::standin

// NCCL's opaque type is ours to define.
struct ncclComm {
  std::shared_ptr<xf::standin::Member> member;
};
