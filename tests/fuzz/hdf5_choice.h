#pragma once
// HDF5 files made of a fuzzer's choices: whole, so that it is our readers that see them. Now and then
// something is not as it is usually.

#include <fmt/format.h>
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/hdf5.h"
#include "tests/fuzz/fuzz.h"

namespace xf::fuzz {

using Choice = FuzzedDataProvider;

/// One time in ten.
inline bool oddly(Choice& choose) { return choose.ConsumeIntegralInRange(0, 9) == 0; }

template <class T>
const T& one_of(Choice& choose, const std::initializer_list<T>& usual) {
  return *(usual.begin() + choose.ConsumeIntegralInRange<size_t>(0, usual.size() - 1));
}

inline std::string word(Choice& choose, std::initializer_list<const char*> usual) {
  if (oddly(choose)) {
    std::string odd = choose.ConsumeRandomLengthString(12);
    std::erase_if(odd, [](char c) { return c == '\0' || c == '/' || c == '.'; });  // HDF5 could not name it
    if (!odd.empty()) return odd;
  }
  return one_of(choose, usual);
}

inline double number(Choice& choose, std::initializer_list<double> usual) {
  constexpr std::array kOdd{std::numeric_limits<double>::quiet_NaN(),
                            std::numeric_limits<double>::infinity(),
                            -1.0,
                            0.0,
                            1e-300,
                            1e300};
  if (!oddly(choose)) return one_of(choose, usual);
  return choose.ConsumeBool() ? choose.PickValueInArray(kOdd) : choose.ConsumeFloatingPoint<double>();
}

inline size_t product(const std::vector<int64_t>& dims) {
  return static_cast<size_t>(std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>()));
}

/// Dimensions of at most `most`.
inline std::vector<int64_t> any_dims(Choice& choose, int64_t most) {
  std::vector<int64_t> dims(choose.ConsumeIntegralInRange<size_t>(0, 4));
  for (int64_t& d : dims) d = choose.ConsumeIntegralInRange<int64_t>(0, most);
  return dims;
}

inline void add_texts(hdf5::Writer& file, Choice& choose, const std::string& path, size_t count,
                      std::initializer_list<const char*> usual) {
  std::vector<std::string> texts(oddly(choose) ? choose.ConsumeIntegralInRange<size_t>(0, 5) : count);
  for (std::string& text : texts) text = word(choose, usual);
  file.dataset(path, texts);
}

/// `values` as floats; or as another type, text, a group, or nothing.
inline void add_values(hdf5::Writer& file, Choice& choose, const std::string& path,
                       const std::vector<int64_t>& dims, const std::vector<double>& values) {
  const auto as = [&]<class T>(T) {
    std::vector<T> converted;
    for (const double x : values) {
      const bool fits = !std::is_integral_v<T> || std::abs(x) < 1e9;
      converted.push_back(fits ? static_cast<T>(x) : T{});
    }
    file.dataset<T>(path, dims, converted);
  };
  switch (choose.ConsumeIntegralInRange(0, 19)) {
    case 0: file.dataset(path, std::vector<std::string>(2, "text")); break;
    case 1: file.group(path); break;
    case 2: break;
    case 3: as(int32_t{}); break;
    case 4: as(double{}); break;
    default: as(float{});
  }
}

/// Equal numbers, up to two of them others.
inline void add_numbers(hdf5::Writer& file, Choice& choose, const std::string& path,
                        const std::vector<int64_t>& dims, std::initializer_list<double> usual) {
  std::vector<double> values(product(dims), number(choose, usual));
  const int others = values.empty() ? 0 : choose.ConsumeIntegralInRange(0, 2);
  for (int i = 0; i < others; ++i)
    values[choose.ConsumeIntegralInRange<size_t>(0, values.size() - 1)] = number(choose, usual);
  add_values(file, choose, path, dims, values);
}

/// The file that `fill` writes; none where HDF5 does not take a name.
template <class Fill>
std::optional<std::filesystem::path> write_hdf5(const std::string& name, const Fill& fill) {
  std::filesystem::path path = file_of(name, {});
  try {
    hdf5::Writer file(path);
    fill(file);
    file.commit();
  } catch (const WriteError&) {
    return std::nullopt;
  }
  return path;
}

}  // namespace xf::fuzz
