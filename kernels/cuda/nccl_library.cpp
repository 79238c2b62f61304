#include "kernels/cuda/nccl_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>

#include "engine/core/error.h"

namespace xf::cuda {
namespace {

constexpr const char* kRemedy =
    "install NCCL (NVIDIA's libnccl2, or PyPI's nvidia-nccl-cu13 with its folder in LD_LIBRARY_PATH), or "
    "train "
    "on one GPU";

template <class Function>
void find(void* library, const char* file, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr)
    throw UnavailableError(file, fmt::format("has no {}: it is too old", name), kRemedy);
}

std::string version_text(int version) {
  return fmt::format("{}.{}.{}", version / 10000, version % 10000 / 100, version % 100);
}

}  // namespace

std::string NcclLibrary::text(ncclResult_t status, ncclComm_t communicator) const {
  std::string text = fmt::format("NCCL: {}", get_error_string(status));
  const std::string_view more = get_last_error(communicator);
  if (!more.empty()) text += fmt::format(" ({})", more);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

void NcclLibrary::check(ncclResult_t status, std::string_view what, ncclComm_t communicator) const {
  if (status == ncclSuccess) return;
  const std::string reason = text(status, communicator);
  if (status == ncclSystemError || status == ncclRemoteError)
    throw UnavailableError(
        std::string(what), reason,
        "see what the other ranks say; NCCL_DEBUG=INFO in the environment makes NCCL say more");
  throw InternalError(std::string(what), reason);
}

NcclLibrary load_nccl(const char* file) {
  void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);  // stays: what it started may run until the end
  if (library == nullptr)
    throw UnavailableError("several ranks on GPUs", fmt::format("NCCL cannot be loaded: {}", dlerror()),
                           kRemedy);
  NcclLibrary nccl{};
  find(library, file, "ncclGetVersion", nccl.get_version);
  find(library, file, "ncclGetErrorString", nccl.get_error_string);
  find(library, file, "ncclGetLastError", nccl.get_last_error);
  find(library, file, "ncclGetUniqueId", nccl.get_unique_id);
  find(library, file, "ncclCommInitRank", nccl.comm_init_rank);
  find(library, file, "ncclCommDestroy", nccl.comm_destroy);
  find(library, file, "ncclCommAbort", nccl.comm_abort);
  find(library, file, "ncclCommGetAsyncError", nccl.comm_get_async_error);
  find(library, file, "ncclGroupStart", nccl.group_start);
  find(library, file, "ncclGroupEnd", nccl.group_end);
  find(library, file, "ncclAllReduce", nccl.all_reduce);
  int version = 0;
  nccl.check(nccl.get_version(&version), "ncclGetVersion");
  if (version / 10000 != NCCL_MAJOR)
    throw UnavailableError(file,
                           fmt::format("is version {}, and this program was built with {}",
                                       version_text(version), version_text(NCCL_VERSION_CODE)),
                           kRemedy);
  return nccl;
}

}  // namespace xf::cuda
