#include "weights/read_tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>

#include "weights/layers.h"
#include "weights/md5.h"
#include "weights/run_info.h"

namespace xf::weights {
namespace {

/// Elements read at a time: more than these do not stay in a core's cache until they are in their place.
constexpr int64_t kElementsAtATime = int64_t{1} << 20;

/// Counts values that are not finite, and remembers where the first one is.
class FiniteCheck {
 public:
  void add(std::span<const float> values) {
    int64_t bad = 0;
    for (const float v : values) {
      constexpr uint32_t kExponent = 0x7f800000;
      bad += (std::bit_cast<uint32_t>(v) & kExponent) == kExponent ? 1 : 0;
    }
    if (bad > 0 && bad_ == 0) {
      const auto at = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
      first_ = seen_ + (at - values.begin());
    }
    bad_ += bad;
    seen_ += static_cast<int64_t>(values.size());
  }
  [[nodiscard]] std::string problem() const {
    if (bad_ == 0) return {};
    return fmt::format("{} not finite, the first at index {}",
                       bad_ == 1 ? "a value is" : fmt::format("{} values are", bad_), first_);
  }

 private:
  int64_t seen_ = 0, bad_ = 0, first_ = 0;
};

void place(std::span<const float> stored, int64_t first_row, StorageOrder order, Tensor& out) {
  const std::span<float> values = out.as<float>();
  switch (order) {
    case StorageOrder::as_is:
      std::copy(stored.begin(), stored.end(),
                values.begin() + first_row * static_cast<int64_t>(stored.size()));
      return;
    case StorageOrder::hwio: place_keras_rows(stored, first_row, out.shape(), values); return;
    case StorageOrder::oihw: place_outputs(stored, first_row, out.shape(), values); return;
  }
}

}  // namespace

std::string TensorReader::read(const TensorSource& source, Tensor& out) {
  const StoredTensor& t = *source.tensor;
  file_.require_stored(t.dataset);
  const std::vector<int64_t>& dims = *t.dims;
  const int64_t rows = dims.front(), count = out.shape().count(), row = count / rows;
  const int64_t step =
      source.order == StorageOrder::as_is ? rows : std::max<int64_t>(1, kElementsAtATime / row);
  const std::optional<std::string> checksum = file_.text(t.dataset, kChecksum);
  Md5 sum;
  FiniteCheck finite;
  for (int64_t first = 0; first < rows; first += step) {
    const int64_t some = std::min(step, rows - first);
    rows_.resize(static_cast<size_t>(some * row));
    const std::span<float> values(rows_);
    file_.read_rows(t.dataset, first, some, values);
    if (checksum) sum.add(std::as_bytes(std::span<const float>(values)));
    finite.add(values);
    // Rows of a kernel HWIO are its kernel's rows; the matrix (HWI)O has W * I for each.
    const int64_t scale = source.order == StorageOrder::hwio ? row / out.shape().n : 1;
    place(values, first * scale, source.order, out);
  }
  if (checksum && sum.finish() != *checksum) return "differs from its checksum";
  if (std::string problem = finite.problem(); !problem.empty()) return problem;
  return source.divisor == nullptr ? std::string() : divide(*source.divisor, out.as<float>());
}

/// As Caffe does it: by the reciprocal.
std::string TensorReader::divide(const StoredTensor& divisor, std::span<float> values) const {
  const std::vector<float> number = file_.read<float>(divisor.dataset);
  if (number.size() != 1 || !std::isfinite(number[0]) || number[0] == 0.0F) {
    return fmt::format("cannot be divided by {}, which must be one number and not 0", divisor.name);
  }
  const float reciprocal = 1.0F / number[0];
  for (float& v : values) v *= reciprocal;
  return {};
}

}  // namespace xf::weights
