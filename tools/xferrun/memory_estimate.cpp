#include "tools/xferrun/memory_estimate.h"

#include <fstream>
#include <string>

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

MemoryEstimate estimate_memory(const TrainingPlan& plan, size_t image_bytes) {
  return {plan.parameter_bytes, plan.plan.arena_bytes + plan.plan.fixed_bytes, image_bytes, resident_bytes()};
}

}  // namespace xf::tool
