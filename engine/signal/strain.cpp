#include "engine/signal/strain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "engine/core/error.h"

namespace xf {
namespace {

constexpr const char* kStrain = "/strain/Strain";
constexpr const char* kStart = "/meta/GPSstart";
constexpr const char* kDetector = "/meta/Detector";
constexpr const char* kMask = "/quality/simple/DQmask";
constexpr int64_t kDataBit = 1;  // the mask's lowest bit in every GWOSC file; one value a second
constexpr const char* kRemedy = "Name an HDF5 file of strain as gwosc.org publishes it.";

}  // namespace

StrainFile::StrainFile(const std::filesystem::path& path) : file_(path), name_(path.string()) {
  read_description();
  read_gaps();
}

void StrainFile::read_description() {
  if (!file_.exists(kStrain) || !file_.is_dataset(kStrain))
    throw DataError(name_, fmt::format("has no dataset {}", kStrain), kRemedy);
  const std::vector<int64_t> dims = file_.dims(kStrain);
  if (dims.size() != 1 || dims[0] < 2)
    throw DataError(name_, fmt::format("{} is no series of samples", kStrain), kRemedy);
  file_.require_stored(kStrain);
  samples_ = dims[0];
  const std::vector<double> spacing = file_.numbers(kStrain, "Xspacing");
  if (spacing.size() != 1 || !(spacing[0] > 0) || !std::isfinite(spacing[0]) ||
      !std::isfinite(1.0 / spacing[0]))
    throw DataError(name_, "its attribute Xspacing is no time between samples", kRemedy);
  // Rates are whole numbers of hertz; the inverse of a spacing is one only nearly.
  const double rate = 1.0 / spacing[0], whole = std::round(rate);
  sample_rate_ = std::abs(rate - whole) < 1e-6 * rate ? whole : rate;
  if (file_.exists(kStart)) {
    const std::vector<double> start = file_.read<double>(kStart);
    if (!start.empty()) span_.begin = start[0];
  } else if (file_.has_attribute(kStrain, "Xstart")) {
    const std::vector<double> start = file_.numbers(kStrain, "Xstart");
    if (!start.empty()) span_.begin = start[0];
  }
  if (!(span_.begin > 0) || !std::isfinite(span_.begin))
    throw DataError(name_, fmt::format("does not say when it begins ({})", kStart), kRemedy);
  span_.end = time_of(samples_);
  if (!file_.exists(kDetector)) return;
  const std::vector<std::string> detector = file_.read_strings(kDetector);
  if (!detector.empty() && !detector[0].empty() && detector[0].find('/') == std::string::npos)
    detector_ = detector[0];
}

void StrainFile::read_gaps() {
  if (!file_.exists(kMask)) return;
  const std::vector<int64_t> mask = file_.read<int64_t>(kMask);
  if (static_cast<double>(mask.size()) != std::ceil(span_.seconds()))
    throw DataError(name_, fmt::format("{} has {} values for {} s", kMask, mask.size(), span_.seconds()),
                    "It must have one a second.");
  for (size_t i = 0; i < mask.size(); ++i) {
    if ((mask[i] & kDataBit) != 0) continue;
    const double begin = span_.begin + static_cast<double>(i);
    if (gaps_.empty() || gaps_.back().end < begin) gaps_.push_back({begin, begin});
    gaps_.back().end = begin + 1;
  }
}

void StrainFile::require_data_at(double gps) const {
  if (!span_.holds(gps))
    throw DataError(name_, fmt::format("holds GPS {} to {}, not {}", span_.begin, span_.end, gps),
                    "Name the file of that time, or a time within.");
  for (const GpsSpan& gap : gaps_)
    if (gap.holds(gps))
      throw DataError(name_,
                      fmt::format("has no data at GPS {}: a gap from {} to {}", gps, gap.begin, gap.end),
                      "Name another time.");
}

Strain StrainFile::around(double gps, const GpsSpan& wanted) const {
  require_data_at(gps);
  Strain result;
  result.sample_rate = sample_rate_;
  GpsSpan good = wanted;
  const auto begin_no_earlier = [&](double time, std::string_view why) {
    if (time <= good.begin) return;
    good.begin = time;
    result.clipped.push_back(fmt::format("it begins at GPS {}: {}", time, why));
  };
  const auto end_no_later = [&](double time, std::string_view why) {
    if (time >= good.end) return;
    good.end = time;
    result.clipped.push_back(fmt::format("it ends at GPS {}: {}", time, why));
  };
  begin_no_earlier(span_.begin, "the file does");
  end_no_later(span_.end, "the file does");
  for (const GpsSpan& gap : gaps_) {
    if (gap.end <= gps) begin_no_earlier(gap.end, "after a gap");
    if (gap.begin > gps) end_no_later(gap.begin, "before a gap");
  }
  const auto sample_at = [&](double time) -> int64_t {
    return std::llround((time - span_.begin) * sample_rate_);
  };
  int64_t first = sample_at(good.begin), last = std::min(sample_at(good.end), samples_);
  if (last <= first)
    throw DataError(name_, fmt::format("holds no sample within {} s of GPS {}", wanted.seconds() / 2, gps),
                    "Name another time.");
  Series values(static_cast<size_t>(last - first));
  file_.read_rows<double>(kStrain, first, last - first, std::span<double>(values));

  const auto is_number = [](double x) { return std::isfinite(x); };
  const int64_t here =
      std::clamp(static_cast<int64_t>((gps - span_.begin) * sample_rate_), first, last - 1) - first;
  if (!is_number(values[static_cast<size_t>(here)]))
    throw DataError(name_, fmt::format("holds no number at GPS {}", gps), "Name another time.");
  const auto at = values.begin() + here;
  const auto bad_after = std::find_if_not(at, values.end(), is_number);
  const auto bad_before = std::find_if_not(std::make_reverse_iterator(at), values.rend(), is_number);
  const int64_t skipped = bad_before.base() - values.begin(), kept = bad_after - bad_before.base();
  if (skipped > 0) begin_no_earlier(time_of(first + skipped), "after samples that are no numbers");
  if (bad_after != values.end())
    end_no_later(time_of(first + skipped + kept), "before samples that are no numbers");
  first += skipped;
  last = first + kept / 2 * 2;
  values.erase(values.begin(), values.begin() + skipped);
  values.resize(static_cast<size_t>(last - first));
  result.span = {time_of(first), time_of(last)};
  result.values = std::move(values);
  return result;
}

}  // namespace xf
