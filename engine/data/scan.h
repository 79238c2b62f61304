#pragma once
// One look at every image before any work begins: which cannot be read, which are the same, how large they
// are.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/data/dataset.h"

namespace xf {

struct BadImage {
  size_t sample;       ///< index into Dataset::samples
  std::string reason;  ///< "PATH: WHY"
};

/// What an image holds. Width 0: it could not be read.
struct ImageFacts {
  int width = 0, height = 0;
  uint64_t content = 0;  ///< hash of size and pixels; equal for equal pictures, however they are encoded
};

struct Scan {
  std::vector<ImageFacts> images;  ///< one a sample
  std::vector<BadImage> bad;       ///< by sample
};

/// Decodes every image, on all threads.
Scan scan(const Dataset& data);

/// Groups of two or more samples with the same picture, each ascending, ordered by their first sample.
std::vector<std::vector<size_t>> duplicates(const Scan& scan);

/// How many images there are of each (width, height).
std::map<std::pair<int, int>, size_t> image_sizes(const Scan& scan);

/// Nothing when all images are good. fail: throws DataError naming every bad image. skip: logs each and takes
/// it out of the data; throws DataError when a class (named) is left without images.
void settle_bad_images(OnBadImage policy, const Scan& scan, Dataset& data);

}  // namespace xf
