#pragma once
// NCCL's functions, found when they are asked for: a training on one GPU needs no NCCL.

#include <nccl.h>

#include <string>
#include <string_view>

namespace xf::cuda {

struct NcclLibrary {
  decltype(&ncclGetVersion) get_version;
  decltype(&ncclGetErrorString) get_error_string;
  decltype(&ncclGetLastError) get_last_error;
  decltype(&ncclGetUniqueId) get_unique_id;
  decltype(&ncclCommInitRank) comm_init_rank;
  decltype(&ncclCommDestroy) comm_destroy;
  decltype(&ncclCommAbort) comm_abort;
  decltype(&ncclCommGetAsyncError) comm_get_async_error;
  decltype(&ncclGroupStart) group_start;
  decltype(&ncclGroupEnd) group_end;
  decltype(&ncclAllReduce) all_reduce;

  /// What NCCL says of an error, in one line.
  [[nodiscard]] std::string text(ncclResult_t status, ncclComm_t communicator) const;
  /// Throws unless `status` is success: UnavailableError where a machine or its network is at fault,
  /// InternalError else. `what` names the call.
  void check(ncclResult_t status, std::string_view what, ncclComm_t communicator = nullptr) const;
};

/// "libnccl.so.2", where the system's loader or this module's build finds it. Throws UnavailableError where
/// it is not there, or of another major version than its header was.
NcclLibrary load_nccl(const char* file = "libnccl.so.2");

}  // namespace xf::cuda
