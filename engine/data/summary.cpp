#include "engine/data/summary.h"

namespace xf {

std::vector<ClassSummary> summarize(const Dataset& data, const std::vector<Part>& parts) {
  std::vector<ClassSummary> result;
  const std::vector<std::vector<Glitch>> classes = glitches_by_class(data);
  for (size_t c = 0; c < classes.size(); ++c) {
    ClassSummary line{.label = data.classes[c], .images = 0, .glitches = classes[c].size()};
    for (const Glitch& g : classes[c]) {
      line.images += g.samples.size();
      if (parts.empty()) continue;
      ++line.part_glitches[static_cast<size_t>(parts[g.samples[0]])];
      for (const size_t i : g.samples) ++line.part_images[static_cast<size_t>(parts[i])];
    }
    result.push_back(std::move(line));
  }
  return result;
}

}  // namespace xf
