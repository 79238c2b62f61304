#include "kernels/cpu/tsne.h"

#include <algorithm>
#include <cmath>

#include "engine/core/tensor.h"
#include "engine/core/threads.h"
#include "kernels/cpu/tiles.h"
#include "kernels/cpu/tsne_rows.h"

namespace xf::cpu {

namespace {

class Similarity final : public TsneSimilarity {
 public:
  explicit Similarity(const Points& points)
      : count_(points.count), length_(padded(points.dims)), rows_(static_cast<size_t>(count_ * length_)) {
    for (int64_t i = 0; i < count_; ++i) {
      const auto row = points.row(i);
      std::copy(row.begin(), row.end(), at(i));
    }
  }

  void conditional(int64_t first, int64_t count, double perplexity, int64_t nearest,
                   std::span<float> p) override {
    // A panel of rows stays in the second-level cache while all points pass.
    constexpr int64_t kFloats = int64_t{1} << 17, kMost = 64, kFewest = 4;
    const Blocks panels{count, std::clamp(kFloats / length_, kFewest, kMost)};
    parallel_for(panels.count(), [&](int64_t panel) {
      const int64_t begin = panels.begin(panel), rows = panels.end(panel) - begin, stride = padded(count_);
      std::vector<float> distances(static_cast<size_t>(rows * stride), kFarAway);
      squared_distances(at(first + begin), rows, rows_.data(), count_, length_, distances.data(), stride);
      for (int64_t r = 0; r < rows; ++r) {
        const std::span<float> row(distances.data() + r * stride, static_cast<size_t>(stride));
        row[static_cast<size_t>(first + begin + r)] = kFarAway;
        if (nearest < count_ - 1)
          distribute_nearest(row, nearest, std::log(perplexity));
        else
          distribution_of_entropy(row.data(), stride, std::log(perplexity));
        std::copy_n(row.begin(), count_, p.begin() + (begin + r) * count_);
      }
    });
  }

 private:
  float* at(int64_t point) { return rows_.data() + point * length_; }

  /// The distribution over the nearest; the others have no share.
  static void distribute_nearest(std::span<float> row, int64_t nearest, double entropy) {
    std::vector<float> near(row.begin(), row.end());
    const auto last = near.begin() + nearest - 1;
    std::nth_element(near.begin(), last, near.end());
    const float limit = *last;
    near.clear();
    for (const float d : row)
      if (d <= limit) near.push_back(d);
    near.resize(static_cast<size_t>(padded(static_cast<int64_t>(near.size()))), kFarAway);
    distribution_of_entropy(near.data(), static_cast<int64_t>(near.size()), entropy);
    auto share = near.begin();
    for (float& d : row) d = d <= limit ? *share++ : 0.0F;
  }

  int64_t count_, length_;
  std::vector<float> rows_;
};

class ForceField final : public TsneForceField {
 public:
  explicit ForceField(const TsneAffinities& affinities)
      : affinities_(affinities),
        count_(affinities.points()),
        rows_({kMapAxes, 1, 1, padded(count_)}),
        points_({count_, 1, 1, 4}),
        normalisation_(static_cast<size_t>(count_)) {
    // Of every vector of points, one in sixteen on average: fewer are found faster one by one.
    const bool dense = affinities.begin.back() * kRowPadding > count_ * count_;
    if (dense && row_forces_take_blocks()) mark_blocks();
  }

  void forces(std::span<const float> map, TsneForces& out) override {
    const int64_t width = padded(count_);
    float *rows = rows_.as<float>().data(), *points = points_.as<float>().data();
    std::fill_n(rows, kMapAxes * width, kOffTheMap);
    for (int64_t axis = 0; axis < kMapAxes; ++axis) {
      const auto from = map.begin() + axis * count_;
      std::copy_n(from, count_, rows + axis * width);
      for (int64_t i = 0; i < count_; ++i) points[4 * i + axis] = from[i];
    }
    out.attraction.resize(map.size());
    out.repulsion.resize(map.size());
    const MapRows m{rows, rows + width, rows + 2 * width, points, width};
    const Blocks blocks{count_, 64};
    parallel_for(blocks.count(), [&](int64_t block) {
      std::vector<float> w(static_cast<size_t>(width));
      for (int64_t i = blocks.begin(block); i < blocks.end(block); ++i) {
        const int64_t begin = affinities_.begin[static_cast<size_t>(i)];
        const Kin kin{affinities_.other.data() + begin, affinities_.p.data() + begin,
                      affinities_.begin[static_cast<size_t>(i) + 1] - begin,
                      blocks_.empty() ? nullptr : blocks_.data() + i * (width / kRowPadding)};
        PointForces f{};
        row_forces(m, i, kin, w.data(), f);
        for (int64_t axis = 0; axis < kMapAxes; ++axis) {
          out.attraction[static_cast<size_t>(axis * count_ + i)] = f.attraction[axis];
          out.repulsion[static_cast<size_t>(axis * count_ + i)] = f.repulsion[axis];
        }
        normalisation_[static_cast<size_t>(i)] = f.normalisation;
      }
    });
    out.normalisation = 0;
    for (const float sum : normalisation_) out.normalisation += static_cast<double>(sum);
  }

 private:
  void mark_blocks() {
    const int64_t across = padded(count_) / kRowPadding;
    blocks_.resize(static_cast<size_t>(count_ * across));
    parallel_for(count_, [&](int64_t i) {
      uint16_t* row = blocks_.data() + i * across;
      for (int64_t k = affinities_.begin[static_cast<size_t>(i)];
           k < affinities_.begin[static_cast<size_t>(i) + 1]; ++k) {
        const int32_t j = affinities_.other[static_cast<size_t>(k)];
        row[j / kRowPadding] = static_cast<uint16_t>(row[j / kRowPadding] | 1U << (j % kRowPadding));
      }
    });
  }

  const TsneAffinities& affinities_;
  int64_t count_;
  std::vector<uint16_t> blocks_;  ///< Kin::blocks of all points; or none
  Tensor rows_;                   ///< (axes, padded points)
  Tensor points_;                 ///< (points, 4)
  std::vector<float> normalisation_;
};

class Backend final : public TsneBackend {
 public:
  std::unique_ptr<TsneSimilarity> similarity(const Points& points) override {
    return std::make_unique<Similarity>(points);
  }
  std::unique_ptr<TsneForceField> exact_forces(const TsneAffinities& affinities) override {
    return std::make_unique<ForceField>(affinities);
  }
  [[nodiscard]] int64_t most_exact_points() const override { return 20000; }
};

}  // namespace

std::unique_ptr<TsneBackend> make_tsne_backend() { return std::make_unique<Backend>(); }

}  // namespace xf::cpu
