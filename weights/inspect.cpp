#include "weights/inspect.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "weights/md5.h"
#include "weights/recognise.h"

namespace xf::weights {
namespace {

/// Deviation by Chan's update, a few rows at a time.
class Summary {
 public:
  void add(std::span<const float> values) {
    double sum = 0, squares = 0;
    int64_t count = 0;
    for (const float v : values) {
      if (!std::isfinite(v)) continue;
      least_ = std::min(least_, double{v});
      greatest_ = std::max(greatest_, double{v});
      sum += v;
      ++count;
    }
    not_finite_ += static_cast<int64_t>(values.size()) - count;
    if (count == 0) return;
    const double mean = sum / static_cast<double>(count);
    for (const float v : values) {
      if (std::isfinite(v)) squares += (v - mean) * (v - mean);
    }
    const auto before = static_cast<double>(count_), now = static_cast<double>(count), all = before + now;
    squares_ += squares + (mean - mean_) * (mean - mean_) * before * now / all;
    mean_ += (mean - mean_) * now / all;
    count_ += count;
  }
  [[nodiscard]] Statistics result() const {
    if (count_ == 0) return {0, 0, 0, 0, not_finite_};
    return {least_, greatest_, mean_, std::sqrt(squares_ / static_cast<double>(count_)), not_finite_};
  }

 private:
  double least_ = INFINITY, greatest_ = -INFINITY, mean_ = 0, squares_ = 0;
  int64_t count_ = 0, not_finite_ = 0;
};

bool holds_numbers(const StoredTensor& t) {
  return t.dims && t.type != "text" && t.type != "other" &&
         std::find(t.dims->begin(), t.dims->end(), 0) == t.dims->end();
}

Statistics statistics_of(const hdf5::File& file, const StoredTensor& t) {
  constexpr int64_t kElementsAtATime = int64_t{1} << 20;
  file.require_stored(t.dataset);
  const std::vector<int64_t>& dims = *t.dims;
  const int64_t rows = dims.empty() ? 1 : dims.front();
  const int64_t row =
      std::accumulate(dims.begin() + (dims.empty() ? 0 : 1), dims.end(), int64_t{1}, std::multiplies<>());
  const int64_t step = std::max<int64_t>(1, kElementsAtATime / row);
  Summary summary;
  std::vector<float> values;
  for (int64_t first = 0; first < rows; first += step) {
    const int64_t some = std::min(step, rows - first);
    values.resize(static_cast<size_t>(some * row));
    file.read_rows(t.dataset, first, some, std::span<float>(values));
    summary.add(values);
  }
  return summary.result();
}

}  // namespace

Inspection inspect(const std::filesystem::path& path) {
  Inspection out{probe(path), md5_of_file(path), {}, {}};
  const hdf5::File file(path);
  const Listing listing = read_listing(file);
  std::map<const StoredTensor*, std::string> names;
  if (out.file.dialect) {
    names = canonical_names(listing, {*out.file.network, recognise_spelling(listing, *out.file.network)});
  }
  for (const StoredLayer& l : listing.layers) {
    for (const StoredTensor& t : l.tensors) {
      InspectedTensor seen{t, {}, {}};
      if (const auto at = names.find(&t); at != names.end()) seen.canonical = at->second;
      if (holds_numbers(t)) seen.statistics = statistics_of(file, t);
      out.tensors.push_back(std::move(seen));
    }
  }
  out.skipped = listing.skipped;
  return out;
}

}  // namespace xf::weights
