#include "engine/train/largest_batch.h"

#include <algorithm>

namespace xf {

int64_t largest_batch(int64_t least, int64_t limit, size_t available,
                      const std::function<size_t(int64_t batch)>& bytes) {
  if (limit <= least) return 0;
  int64_t fits = least, too_large = limit;
  size_t fits_bytes = bytes(fits), too_many_bytes = bytes(too_large);
  if (fits_bytes > available) return 0;
  if (too_many_bytes <= available) return limit - 1;
  for (bool straight = true; too_large - fits > 1; straight = !straight) {
    // Along the line between the two; every second time in the middle, for curves that are none.
    const double share = straight ? static_cast<double>(available - fits_bytes) /
                                        static_cast<double>(too_many_bytes - fits_bytes)
                                  : 0.5;
    const auto step = static_cast<int64_t>(share * static_cast<double>(too_large - fits));
    const int64_t guess = std::clamp(fits + step, fits + 1, too_large - 1);
    const size_t guess_bytes = bytes(guess);
    if (guess_bytes <= available) {
      fits = guess;
      fits_bytes = guess_bytes;
    } else {
      too_large = guess;
      too_many_bytes = guess_bytes;
    }
  }
  return fits;
}

}  // namespace xf
