#include "engine/data/image_cache.h"

#include <algorithm>

namespace xf {

size_t ImageCache::bytes_bound(size_t count, size_t image_bytes, size_t limit) {
  return std::min(count, limit / image_bytes) * image_bytes;
}

ImageCache::ImageCache(size_t count, size_t image_bytes, size_t limit)
    : image_bytes_(image_bytes),
      states_(bytes_bound(count, image_bytes, limit) / image_bytes),
      bytes_(new uint8_t[states_.size() * image_bytes]) {}

bool ImageCache::get(size_t i, std::span<uint8_t> out) const {
  if (i >= states_.size() || states_[i].load(std::memory_order_acquire) != State::ready) return false;
  std::copy_n(bytes_.get() + i * image_bytes_, image_bytes_, out.begin());
  return true;
}

void ImageCache::put(size_t i, std::span<const uint8_t> image) {
  State expected = State::empty;
  if (i >= states_.size() || !states_[i].compare_exchange_strong(expected, State::filling)) return;
  std::copy(image.begin(), image.end(), bytes_.get() + i * image_bytes_);
  states_[i].store(State::ready, std::memory_order_release);
  ++held_;
}

}  // namespace xf
