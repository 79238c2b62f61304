#include "engine/data/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/core/threads.h"
#include "engine/data/pixels.h"

namespace xf {

namespace {

/// The finalizer of splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
constexpr uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

uint64_t content_hash(const io::Image& image) {
  uint64_t hash = mix(static_cast<uint64_t>(image.width) << 32 | static_cast<uint32_t>(image.height));
  for (size_t at = 0; at < image.rgb.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, image.rgb.data() + at, std::min<size_t>(8, image.rgb.size() - at));
    hash = mix(hash ^ word) + 0x9E3779B97F4A7C15U;
  }
  return hash;
}

}  // namespace

Scan scan(const Dataset& data) {
  Scan result;
  result.images.resize(data.samples.size());
  std::vector<std::string> reasons(data.samples.size());
  parallel_for(static_cast<int64_t>(data.samples.size()), [&](int64_t index) {
    const auto i = static_cast<size_t>(index);
    try {
      const io::Image image = read_image(data.samples[i]);
      if (image.width < 2 || image.height < 2)
        throw DataError(data.samples[i].images.at(0).where(),
                        fmt::format("is {}x{} pixels: it shows nothing over time and frequency", image.width,
                                    image.height));
      result.images[i] = {image.width, image.height, content_hash(image)};
    } catch (const Error& e) {
      reasons[i] = e.what();
    }
  });
  for (size_t i = 0; i < reasons.size(); ++i)
    if (!reasons[i].empty()) result.bad.push_back({i, std::move(reasons[i])});
  return result;
}

std::vector<std::vector<size_t>> duplicates(const Scan& scan) {
  std::unordered_map<uint64_t, size_t> group_of;
  std::vector<std::vector<size_t>> groups;
  for (size_t i = 0; i < scan.images.size(); ++i) {
    if (scan.images[i].width == 0) continue;
    const auto [it, is_new] = group_of.emplace(scan.images[i].content, groups.size());
    if (is_new) groups.emplace_back();
    groups[it->second].push_back(i);
  }
  std::erase_if(groups, [](const std::vector<size_t>& group) { return group.size() < 2; });
  return groups;
}

std::map<std::pair<int, int>, size_t> image_sizes(const Scan& scan) {
  std::map<std::pair<int, int>, size_t> sizes;
  for (const ImageFacts& image : scan.images)
    if (image.width > 0) ++sizes[{image.width, image.height}];
  return sizes;
}

void settle_bad_images(OnBadImage policy, const Scan& scan, Dataset& data) {
  if (scan.bad.empty()) return;
  if (policy == OnBadImage::fail) {
    std::string all;
    for (const BadImage& bad : scan.bad) all += (all.empty() ? "" : "; ") + bad.reason;
    throw DataError(
        data.source.string(),
        fmt::format("{} of {} images cannot be used: {}", scan.bad.size(), data.samples.size(), all),
        "Replace or remove them, or leave them out with --on-bad-image skip.");
  }
  std::vector<bool> is_bad(data.samples.size());
  for (const BadImage& bad : scan.bad) {
    log::warning("left out: {}", bad.reason);
    is_bad[bad.sample] = true;
  }
  std::vector<Sample> good;
  std::vector<size_t> before(data.classes.size()), after(data.classes.size());
  for (size_t i = 0; i < data.samples.size(); ++i) {
    const auto label = static_cast<size_t>(data.samples[i].label);
    ++before[label];
    if (is_bad[i]) continue;
    ++after[label];
    good.push_back(std::move(data.samples[i]));
  }
  data.samples = std::move(good);
  for (size_t c = 0; c < data.classes.size(); ++c)
    if (before[c] > 0 && after[c] == 0)
      throw DataError(
          data.source.string(),
          fmt::format("none of the {} images of class {} can be read", before[c], data.classes[c]),
          "Replace its images or remove the class.");
}

}  // namespace xf
