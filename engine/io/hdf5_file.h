#pragma once
// What the parts of hdf5::File share. Private to engine/io; identifiers are the library's 64-bit integers.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/hdf5.h"
#include "engine/io/hdf5_library.h"

namespace xf::hdf5 {

struct File::Impl {
  std::filesystem::path path;
  int64_t bytes = 0;  ///< size of the file
  Handle file;

  /// Throws DataError: the file as subject, the object in the reason.
  [[noreturn]] void fail(const std::string& object, const std::string& reason) const;
  [[nodiscard]] Handle open(const std::string& object) const;
  [[nodiscard]] Handle open_dataset(const std::string& object) const;
};

Kind kind_of(int64_t type);

/// Nothing for dimensions whose product overflows: the caller names the object.
std::optional<std::vector<int64_t>> extents(int64_t space);

int64_t product(const std::vector<int64_t>& dims);

/// Throws DataError where a damaged file claims more elements than it can hold: deflate, the filter that
/// shrinks most, gains at most a factor of 1032.
void require_possible(const File::Impl& file, const std::string& object, int64_t count, int64_t type);

/// Appends `count` strings that `transfer` copies into memory as the elements of `type`; false when it fails.
bool append_strings(int64_t type, int64_t space, int64_t count, const std::function<bool(void*)>& transfer,
                    std::vector<std::string>& out);

}  // namespace xf::hdf5
