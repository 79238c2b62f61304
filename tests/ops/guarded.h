#pragma once
// Device memory of one operand between guard bytes, and a record of what it held.

#include <cstddef>
#include <string>
#include <vector>

#include "engine/run/backend.h"
#include "tests/ops/reference/array.h"

namespace xf::test {

/// Device memory that is reserved once and handed out many times.
class DeviceMemory {
 public:
  explicit DeviceMemory(Backend& backend) : backend_(backend) {}
  [[nodiscard]] Backend& backend() const { return backend_; }
  /// 256-byte aligned, until the next reset().
  std::byte* take(size_t bytes);
  void reset() { used_ = chunk_ = 0; }

 private:
  Backend& backend_;
  std::vector<Buffer> chunks_;
  size_t chunk_ = 0, used_ = 0;
};

/// Elements of one operand in device memory. Everything around and between them is 0xff, which is NaN in
/// every float type: a kernel that reads there shows it in its results, one that writes there is found by
/// damage().
class Guarded {
 public:
  /// Room for `spec` with `row_stride` ≥ spec.shape.c; the first element lies `offset` elements into a row.
  Guarded(DeviceMemory& memory, Spec spec, int64_t row_stride, int64_t offset);
  /// Plain bytes: scratch, or a packed operand.
  Guarded(DeviceMemory& memory, size_t bytes);

  /// Fills the elements; without values they become 0xff too.
  void write(const Array& values);
  void write(const std::vector<std::byte>& bytes);
  /// The elements in order, read as `type`.
  std::vector<double> read(DType type);
  std::vector<std::byte> read_bytes();
  /// Says which byte outside of the elements was changed since the last write; empty when none was.
  std::string damage();
  /// Says whether any byte at all was changed since the last write.
  std::string changed();

  /// The operand, or another of the same size in the same place.
  [[nodiscard]] Ref ref(const Spec& spec) const { return {data(), spec, row_stride_}; }
  [[nodiscard]] std::byte* data() const { return data_ + origin_; }

 private:
  void upload();
  std::vector<std::byte> download();
  [[nodiscard]] std::string first_difference(const std::vector<std::byte>& now, size_t begin,
                                             size_t end) const;
  /// Calls body(first byte) for each row of elements.
  template <class Body>
  void for_each_row(Body body) const;

  Backend& backend_;
  Spec spec_;
  int64_t row_stride_ = 0;
  size_t origin_ = 0, row_bytes_ = 0;
  std::byte* data_ = nullptr;
  std::vector<std::byte> before_;
};

}  // namespace xf::test
