#pragma once
// GPUs as cuDNN describes them to itself.

#include <fmt/format.h>

#include <string>

namespace xf::test {

/// What differs between GPUs in cuDNN's plans; public figures of one product each.
struct DescribedGpu {
  const char* name;
  int compute;  ///< 90 for capability 9.0
  int multiprocessors, blocks_each, threads_each, shared_optin_bytes, shared_reserved_bytes, l2_bytes;
  long long memory_bytes;
  int clock_khz, memory_clock_khz;
};

inline constexpr DescribedGpu kDescribedGpus[] = {
    {"Tesla T4", 75, 40, 16, 1024, 65536, 0, 4194304, 15843721216, 1590000, 5001000},
    {"NVIDIA A100-SXM4-40GB", 80, 108, 32, 2048, 166912, 1024, 41943040, 42505273344, 1410000, 1215000},
    {"NVIDIA H100 80GB HBM3", 90, 132, 32, 2048, 232448, 1024, 52428800, 85017493504, 1980000, 2619000},
    {"NVIDIA GeForce RTX 5090", 120, 170, 24, 1536, 101376, 1024, 100663296, 33663090688, 2407000, 14001000},
};

/// The JSON of CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, with which cuDNN plans for a GPU that is not there.
inline std::string description(const DescribedGpu& g) {
  return fmt::format(
      R"({{"maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],"regsPerBlock":65536,)"
      R"("multiProcessorCount":{},"warpSize":32,"maxSharedMemoryPerBlock":49152,)"
      R"("maxSharedMemoryPerBlockOptin":{},"reservedSharedMemoryPerBlock":{},"maxRegistersPerSM":65536,)"
      R"("maxCtasPerSM":{},"maxThreadsPerBlock":1024,"maxThreadsPerSM":{},"pciDeviceId":0,"isTccDriver":0,)"
      R"("supportCoopLaunch":1,"totalGlobalMem":{},"smClockRateKHz":{},"memClockRateKHz":{},)"
      R"("l2CacheSize":{},"cudaDeviceId":0,"deviceVer":{},"driverVer":13000,"deviceName":"{}"}})",
      g.multiprocessors, g.shared_optin_bytes, g.shared_reserved_bytes, g.blocks_each, g.threads_each,
      g.memory_bytes, g.clock_khz, g.memory_clock_khz, g.l2_bytes, g.compute * 10, g.name);
}

}  // namespace xf::test
