// NCCL's interface, with its own prototypes. A library of its own, so that it is found and loaded as NCCL is.

#include <nccl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/standin/device.h"
#include "tests/standin/nccl/communicator.h"

using namespace xf::standin;

namespace {

std::string last_error;

struct Call {
  std::shared_ptr<Member> member;
  Reduction what;
  cudaStream_t stream;
};
// Of this thread, which is a rank.
thread_local int group_depth = 0;
thread_local std::vector<Call> group;
thread_local ncclResult_t group_error = ncclSuccess;

ncclResult_t invalid(const char* why) {
  last_error = why;
  return ncclInvalidArgument;
}

ncclResult_t checked(const void* from, void* to, size_t count, ncclDataType_t type, ncclRedOp_t op,
                     ncclComm_t comm, cudaStream_t stream) {
  if (comm == nullptr || from == nullptr || to == nullptr) return invalid("a null pointer");
  if (type != ncclFloat32) return invalid("the stand-in reduces f32 alone");
  if (op != ncclSum && op != ncclAvg) return invalid("the stand-in takes sums and means alone");
  const Reduction what{static_cast<const float*>(from), static_cast<float*>(to), count, op};
  const ncclResult_t status = check(*comm->member, what, stream, last_error);
  if (status == ncclSuccess) group.push_back({comm->member, what, stream});
  return status;
}

}  // namespace

extern "C" {

ncclResult_t ncclGetVersion(int* version) {
  *version = machine().nccl_version != 0 ? machine().nccl_version : NCCL_VERSION_CODE;
  return ncclSuccess;
}
const char* ncclGetErrorString(ncclResult_t result) {
  switch (result) {
    case ncclSuccess: return "no error";
    case ncclSystemError: return "unhandled system error";
    case ncclInvalidArgument: return "invalid argument";
    case ncclInvalidUsage: return "invalid usage";
    case ncclRemoteError: return "remote process exited or there was a network error";
    default: return "an error of the stand-in";
  }
}
const char* ncclGetLastError(ncclComm_t /*comm*/) { return last_error.c_str(); }

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) { return new_id(*id); }
ncclResult_t ncclCommInitRank(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank) {
  auto handle = std::make_unique<ncclComm>();
  const ncclResult_t status = init_rank(handle->member, ranks, id, rank, last_error);
  *comm = status == ncclSuccess ? handle.release() : nullptr;
  return status;
}
ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  const std::unique_ptr<ncclComm> handle(comm);
  destroy(*comm->member);
  return ncclSuccess;
}
ncclResult_t ncclCommAbort(ncclComm_t comm) {
  const std::unique_ptr<ncclComm> handle(comm);
  abort(*comm->member);
  return ncclSuccess;
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* error) {
  if (comm == nullptr) return invalid("no communicator");
  *error = comm->member->error;
  return ncclSuccess;
}

ncclResult_t ncclGroupStart() {
  ++group_depth;
  return ncclSuccess;
}
ncclResult_t ncclGroupEnd() {
  if (group_depth == 0) {
    last_error = "a group ends that did not start";
    return ncclInvalidUsage;
  }
  if (--group_depth > 0) return ncclSuccess;
  const std::vector<Call> calls = std::exchange(group, {});
  const ncclResult_t error = std::exchange(group_error, ncclSuccess);
  if (error == ncclSuccess)
    for (const Call& call : calls) queue(call.member, call.what, call.stream);
  return error;
}
ncclResult_t ncclAllReduce(const void* from, void* to, size_t count, ncclDataType_t type, ncclRedOp_t op,
                           ncclComm_t comm, cudaStream_t stream) {
  ncclGroupStart();
  const ncclResult_t status = checked(from, to, count, type, op, comm, stream);
  if (status != ncclSuccess) group_error = status;
  const ncclResult_t end = ncclGroupEnd();
  return status != ncclSuccess ? status : end;
}

}  // extern "C"
