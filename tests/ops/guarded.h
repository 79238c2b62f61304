#pragma once
// Device memory of one operand between guard bytes, and a record of what it held.

#include <cstddef>
#include <string>
#include <vector>

#include "engine/run/backend.h"
#include "tests/ops/reference/array.h"

namespace xf::test {

/// Elements of one operand in device memory. Everything around and between them is 0xff, which is NaN in
/// every float type: a kernel that reads there shows it in its results, one that writes there is found by
/// damage().
class Guarded {
 public:
  /// Memory for `spec` with `row_stride` ≥ spec.shape.c; the first element lies `offset` elements into a row.
  Guarded(Backend& backend, Spec spec, int64_t row_stride, int64_t offset);
  /// Plain bytes, for scratch.
  Guarded(Backend& backend, size_t bytes);

  /// Fills the elements; without values they become 0xff too.
  void write(const Array& values);
  void write(const std::vector<std::byte>& bytes);
  /// The elements, in order. Throws nothing; NaN where nothing was written.
  std::vector<double> read(Spec spec);
  std::vector<std::byte> read_bytes(Spec spec);
  /// Says which byte outside of `spec`'s elements was changed since the last write; empty when none was.
  std::string damage(Spec spec);
  /// Says whether any byte at all was changed since the last write.
  std::string changed();

  [[nodiscard]] Ref ref(Spec spec) const;
  [[nodiscard]] std::byte* data() const { return buffer_.data.get() + origin_; }

 private:
  void upload();
  std::vector<std::byte> download();
  /// Calls body(byte offset of element, element number).
  template <class Body>
  void for_each_element(const Spec& spec, Body body) const;

  Backend& backend_;
  Spec spec_;
  int64_t row_stride_ = 0;
  size_t origin_ = 0;
  Buffer buffer_;
  std::vector<std::byte> before_;
};

}  // namespace xf::test
