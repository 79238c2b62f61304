#pragma once
// HDF5 files: reading any, writing new ones. The C library stays behind this header, and silent: what it has
// to say goes into the errors thrown here.
//
// Objects are named by paths from the root: "/conv2d_1/conv2d_1/kernel:0", "/" itself. Every member function
// may be called from any thread; calls into the library are serialised.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/library_version.h"

namespace xf::hdf5 {

/// Of the HDF5 library.
LibraryVersion library_version();

enum class Kind : uint8_t { integer, floating, string, other };

/// A file opened for reading, without file locks (network file systems often have none). Errors are DataError
/// with the file as subject and the object in the reason.
class File {
 public:
  /// Throws MissingInputError when the file is absent, a folder, or not readable, and DataError when it is
  /// not HDF5, truncated, or locked by a writer.
  explicit File(const std::filesystem::path& path);
  File(File&&) noexcept;
  File& operator=(File&&) noexcept;
  ~File();

  [[nodiscard]] const std::filesystem::path& path() const;
  /// False too for a soft link to nowhere.
  [[nodiscard]] bool exists(const std::string& object) const;
  [[nodiscard]] bool is_dataset(const std::string& object) const;
  /// Names (not paths) of what a group holds, in ascending order.
  [[nodiscard]] std::vector<std::string> children(const std::string& group) const;
  /// Paths of the datasets at and below a group, in ascending order within each group. Each is listed once,
  /// whatever links lead to it, so a file whose groups hold one another ends too; soft links are not
  /// followed.
  [[nodiscard]] std::vector<std::string> datasets(const std::string& group) const;

  /// Extents, outermost first; empty for a scalar.
  [[nodiscard]] std::vector<int64_t> dims(const std::string& dataset) const;
  [[nodiscard]] Kind kind(const std::string& dataset) const;
  /// "f32", "f16", "i64", "u8" …; "text" or "other" for what is no number.
  [[nodiscard]] std::string element_type(const std::string& dataset) const;
  /// Throws DataError when the file stores too little for all the elements that the dataset claims.
  void require_stored(const std::string& dataset) const;
  /// All elements in row-major order, converted to T: float, double, int64_t or uint8_t. Text cannot be read
  /// as numbers, nor floating-point numbers as integers.
  template <class T>
  [[nodiscard]] std::vector<T> read(const std::string& dataset) const;
  /// Rows [first, first + count) of the outermost dimension into `out`, which has their exact size.
  template <class T>
  void read_rows(const std::string& dataset, int64_t first, int64_t count, std::span<T> out) const;
  [[nodiscard]] std::vector<std::string> read_strings(const std::string& dataset) const;

  /// True too for an array of strings that is split into NAME0, NAME1, …, as Keras does above 64512 bytes.
  [[nodiscard]] bool has_attribute(const std::string& object, const std::string& name) const;
  /// One string or an array of them, fixed or variable length, joined where split. Any empty array counts as
  /// an array of no strings (Keras stores one of those as float64[0]).
  [[nodiscard]] std::vector<std::string> strings(const std::string& object, const std::string& name) const;
  /// The attribute as one string; nothing where there is none.
  [[nodiscard]] std::optional<std::string> text(const std::string& object, const std::string& name) const;
  [[nodiscard]] std::vector<double> numbers(const std::string& object, const std::string& name) const;

  struct Impl;  ///< engine/io's own

 private:
  std::unique_ptr<Impl> impl_;
};

/// A new file, which takes its name with commit() and not before (io::AtomicFile). Every failure, a full
/// disk among them, is a WriteError naming the target. The same calls give the same bytes.
class Writer {
 public:
  explicit Writer(const std::filesystem::path& target);
  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;
  ~Writer();

  /// Makes a group and the groups above it that are not there yet.
  void group(const std::string& path);
  /// A dataset of T: float, double, int32_t, int64_t or uint8_t; `data` has as many elements as `dims` says.
  /// Groups above it are made.
  template <class T>
  void dataset(const std::string& path, std::span<const int64_t> dims, std::span<const T> data);
  /// A one-dimensional dataset of variable-length UTF-8 strings.
  void dataset(const std::string& path, std::span<const std::string> data);

  /// A fixed-length string. `object` is a group or dataset that was made before, or "/".
  void attribute(const std::string& object, const std::string& name, std::string_view text);
  /// An array of fixed-length strings, split into NAME0, NAME1, … above 64512 bytes as Keras does.
  void attribute(const std::string& object, const std::string& name, std::span<const std::string> texts);
  void attribute(const std::string& object, const std::string& name, double number);

  /// Writes everything out and gives the file its name.
  void commit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace xf::hdf5
