#include "engine/analyze/barnes_hut.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/core/threads.h"

namespace xf {

namespace {

using Position = std::array<float, kMapAxes>;

/// Points in the order of their cubes: those of a cube follow one another.
struct SortedPoint {
  uint64_t code;  ///< three bits a level, the outermost first
  int64_t index;  ///< on the map
  Position at;
};

constexpr int kLevels = 21;  // three bits of 64 each

/// A cube of the map. The cubes within follow it, up to `next`.
struct Cube {
  Position centre;  ///< of mass
  float points;
  float reach;  ///< square of the distance from which it is one
  int32_t next;
  int32_t first, last;  ///< sorted points of a cube that is not divided further; else none
};

class Tree {
 public:
  Tree(std::span<const float> map, int64_t count, double opening) : opening_(opening) {
    Position low, high;
    for (size_t a = 0; a < kMapAxes; ++a) {
      const auto axis = map.subspan(a * static_cast<size_t>(count), static_cast<size_t>(count));
      const auto [least, most] = std::minmax_element(axis.begin(), axis.end());
      low[a] = *least;
      high[a] = *most;
    }
    for (size_t a = 0; a < kMapAxes; ++a) edge_ = std::max(edge_, static_cast<double>(high[a]) - low[a]);
    sorted_.resize(static_cast<size_t>(count));
    parallel_for(count, [&](int64_t i) {
      SortedPoint& p = sorted_[static_cast<size_t>(i)];
      p.index = i;
      std::array<uint64_t, kMapAxes> cell{};
      for (size_t a = 0; a < kMapAxes; ++a) {
        p.at[a] = map[a * static_cast<size_t>(count) + static_cast<size_t>(i)];
        constexpr double kCells = 1 << kLevels;
        const double place = edge_ > 0 ? (static_cast<double>(p.at[a]) - low[a]) / edge_ * kCells : 0;
        cell[a] = static_cast<uint64_t>(std::clamp(place, 0.0, kCells - 1));
      }
      p.code = 0;
      for (int level = kLevels - 1; level >= 0; --level)
        for (size_t a = 0; a < kMapAxes; ++a) p.code = p.code << 1 | (cell[a] >> level & 1);
    });
    std::sort(sorted_.begin(), sorted_.end(), [](const SortedPoint& a, const SortedPoint& b) {
      return a.code != b.code ? a.code < b.code : a.index < b.index;
    });
    divide(0, static_cast<int32_t>(count), 0);
  }

  [[nodiscard]] const std::vector<SortedPoint>& sorted() const { return sorted_; }

  /// Adds Σ w² (y - y_j) to `force` and returns Σ w, over all points but one at `y`.
  float repulsion(const Position& y, Position& force) const {
    float sum = 0;
    const auto push = [&](float square, const Position& difference, float points) {
      const float w = 1 / (1 + square);
      sum += points * w;
      for (size_t a = 0; a < kMapAxes; ++a) force[a] += points * w * w * difference[a];
    };
    const auto difference_to = [&](const Position& other, float& square) {
      Position d;
      square = 0;
      for (size_t a = 0; a < kMapAxes; ++a) {
        d[a] = y[a] - other[a];
        square += d[a] * d[a];
      }
      return d;
    };
    const auto end = static_cast<int32_t>(cubes_.size());
    for (int32_t i = 0; i < end;) {
      const Cube& cube = cubes_[static_cast<size_t>(i)];
      float square = 0;
      const Position d = difference_to(cube.centre, square);
      if (square > cube.reach) {
        push(square, d, cube.points);
        i = cube.next;
        continue;
      }
      for (int32_t k = cube.first; k < cube.last; ++k) {
        float near = 0;
        const Position between = difference_to(sorted_[static_cast<size_t>(k)].at, near);
        push(near, between, 1);
      }
      ++i;
    }
    return sum - 1;  // its own
  }

 private:
  void divide(int32_t first, int32_t last, int level) {
    constexpr int32_t kFew = 8;
    const size_t mine = cubes_.size();
    cubes_.push_back({});
    std::array<double, kMapAxes> sum{};
    for (int32_t k = first; k < last; ++k)
      for (size_t a = 0; a < kMapAxes; ++a) sum[a] += sorted_[static_cast<size_t>(k)].at[a];
    Cube cube{};
    for (size_t a = 0; a < kMapAxes; ++a) cube.centre[a] = static_cast<float>(sum[a] / (last - first));
    cube.points = static_cast<float>(last - first);
    const double reach =
        opening_ > 0 ? edge_ / static_cast<double>(int64_t{1} << level) / opening_ : INFINITY;
    cube.reach = static_cast<float>(reach * reach);
    if (last - first <= kFew || level == kLevels) {
      cube.first = first;
      cube.last = last;
    } else {
      const int shift = 3 * (kLevels - 1 - level);
      for (int32_t begin = first; begin < last;) {
        const uint64_t octant = sorted_[static_cast<size_t>(begin)].code >> shift;
        const auto end =
            std::partition_point(sorted_.begin() + begin, sorted_.begin() + last,
                                 [&](const SortedPoint& p) { return p.code >> shift == octant; });
        const auto next = static_cast<int32_t>(end - sorted_.begin());
        divide(begin, next, level + 1);
        begin = next;
      }
    }
    cube.next = static_cast<int32_t>(cubes_.size());
    cubes_[mine] = cube;
  }

  double opening_, edge_ = 0;  ///< edge: of the outermost cube
  std::vector<SortedPoint> sorted_;
  std::vector<Cube> cubes_;
};

class BarnesHut final : public TsneForceField {
 public:
  BarnesHut(const TsneAffinities& affinities, double opening) : affinities_(affinities), opening_(opening) {}

  void forces(std::span<const float> map, TsneForces& out) override {
    const int64_t count = affinities_.points();
    const Tree tree(map, count, opening_);
    out.attraction.resize(map.size());
    out.repulsion.resize(map.size());
    std::vector<float> normalisation(static_cast<size_t>(count));
    parallel_for(count, [&](int64_t k) {
      const SortedPoint& p = tree.sorted()[static_cast<size_t>(k)];
      Position push{}, pull{};
      normalisation[static_cast<size_t>(p.index)] = tree.repulsion(p.at, push);
      attraction(map, p, pull);
      for (size_t a = 0; a < kMapAxes; ++a) {
        const size_t to = a * static_cast<size_t>(count) + static_cast<size_t>(p.index);
        out.attraction[to] = pull[a];
        out.repulsion[to] = push[a];
      }
    });
    out.normalisation = 0;
    for (const float sum : normalisation) out.normalisation += static_cast<double>(sum);
  }

 private:
  void attraction(std::span<const float> map, const SortedPoint& point, Position& pull) const {
    const auto count = static_cast<size_t>(affinities_.points()), i = static_cast<size_t>(point.index);
    for (auto k = static_cast<size_t>(affinities_.begin[i]);
         k < static_cast<size_t>(affinities_.begin[i + 1]); ++k) {
      const auto j = static_cast<size_t>(affinities_.other[k]);
      Position d;
      float square = 0;
      for (size_t a = 0; a < kMapAxes; ++a) {
        d[a] = point.at[a] - map[a * count + j];
        square += d[a] * d[a];
      }
      const float w = affinities_.p[k] / (1 + square);
      for (size_t a = 0; a < kMapAxes; ++a) pull[a] += w * d[a];
    }
  }

  const TsneAffinities& affinities_;
  double opening_;
};

}  // namespace

std::unique_ptr<TsneForceField> barnes_hut_forces(const TsneAffinities& affinities, double opening) {
  return std::make_unique<BarnesHut>(affinities, opening);
}

}  // namespace xf
