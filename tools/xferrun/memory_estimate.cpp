#include "tools/xferrun/memory_estimate.h"

#include <fstream>
#include <string>

#include "engine/data/loader.h"
#include "engine/dist/comm.h"

namespace xf::tool {

namespace {
size_t status_field(const std::string& field) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.rfind(field, 0) == 0) return std::stoull(line.substr(field.size())) * 1024;
  return 0;
}
}  // namespace

size_t resident_bytes() { return status_field("VmRSS:"); }
size_t peak_resident_bytes() { return status_field("VmHWM:"); }

size_t MemoryEstimate::most() const {
  constexpr size_t kParts = 2;  // training and validation
  return peak() + parameters + kParts * LoaderOptions{}.cache_limit;
}

MemoryEstimate estimate_memory(const TrainingPlan& plan, size_t image_bytes, size_t communication) {
  return {plan.parameter_bytes, plan.plan.arena_bytes + plan.plan.fixed_bytes, image_bytes, resident_bytes(),
          communication};
}

size_t communication_bytes(int ranks) {
  constexpr size_t kBuckets = 2;
  return ranks > 1 ? kBuckets * kBucketBytes : 0;
}

}  // namespace xf::tool
