#include "kernels/cpu/block_sums.h"

#include <array>

namespace xf::cpu {

namespace {

/// Channels that one task combines: a few cache lines.
constexpr int64_t kGroup = 64;
using Group = std::array<double, kGroup>;

void write(const Group& from, int64_t begin, int64_t count, float* to) {
  for (int64_t c = 0; c < count; ++c) to[begin + c] = static_cast<float>(from[static_cast<size_t>(c)]);
}

/// group += weight * values
void add(Group& group, double weight, const float* values, int64_t count) {
  for (int64_t c = 0; c < count; ++c)
    group[static_cast<size_t>(c)] += weight * static_cast<double>(values[c]);
}

}  // namespace

void BlockSums::total(ChannelPair out) const {
  const Blocks groups{channels_, kGroup};
  parallel_for(groups.count(), [&](int64_t g) {
    const int64_t begin = groups.begin(g), count = groups.end(g) - begin;
    Group first{}, second{};
    for (int64_t b = 0; b < blocks_.count(); ++b) {
      const ChannelPair block = (*this)[b];
      if (out.first != nullptr) add(first, 1, block.first + begin, count);
      if (out.second != nullptr) add(second, 1, block.second + begin, count);
    }
    if (out.first != nullptr) write(first, begin, count, out.first);
    if (out.second != nullptr) write(second, begin, count, out.second);
  });
}

void BlockSums::combine_moments(ChannelPair out) const {
  const Blocks groups{channels_, kGroup};
  parallel_for(groups.count(), [&](int64_t g) {
    const int64_t begin = groups.begin(g), count = groups.end(g) - begin;
    Group mean{}, m2{};
    const auto rows = [&](int64_t b) { return static_cast<double>(blocks_.end(b) - blocks_.begin(b)); };
    for (int64_t b = 0; b < blocks_.count(); ++b) {
      const ChannelPair block = (*this)[b];
      add(mean, rows(b) / static_cast<double>(blocks_.total), block.first + begin, count);
      add(m2, 1, block.second + begin, count);
    }
    for (int64_t b = 0; b < blocks_.count(); ++b) {
      const float* block_mean = (*this)[b].first + begin;
      for (int64_t c = 0; c < count; ++c) {
        const auto i = static_cast<size_t>(c);
        const double apart = static_cast<double>(block_mean[c]) - mean[i];
        m2[i] += rows(b) * apart * apart;
      }
    }
    write(mean, begin, count, out.first);
    write(m2, begin, count, out.second);
  });
}

}  // namespace xf::cpu
