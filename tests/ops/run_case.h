#pragma once
// Runs an OpCase on a backend in every arrangement of memory that its kernel allows, and compares.

#include <memory>
#include <string>
#include <vector>

#include "engine/run/backend.h"
#include "tests/ops/guarded.h"
#include "tests/ops/op_case.h"

namespace xf::test {

/// What came of one case; no failures: all is well.
struct CaseReport {
  std::string impl;
  std::vector<std::string> failures;
  /// The outputs' bytes in the plain arrangement, one entry an output; empty where it is unused.
  std::vector<std::vector<std::byte>> outputs;
};

/// Which arrangements of the operands in memory to try.
enum class Arrangements : uint8_t { plain, all };

/// Lowers the case once; packs the operands that the kernel wants packed, through the backend's own Pack.
/// Then runs it plain (twice: the same bits), with row strides where the kernel says strided(), in place
/// where it says in_place(), and without the outputs that may be unused. Each time every output must be what
/// compare() takes, in its own type or, all of it, in the case's type where engine/graph/ops.h says that it
/// may be rounded to that first; inputs must be as before and no byte outside the operands or the scratch
/// memory may have changed. The first arrangement that fails is the last one tried. Device errors
/// (UnavailableError) are thrown.
CaseReport run_case(DeviceMemory& memory, const OpCase& op_case, Arrangements tried = Arrangements::all);

/// Says where `got` is not what rounding a number within the error bound of `expected` to `dtype` gives;
/// empty when it is everywhere.
std::string compare(const Array& expected, const std::vector<double>& got, DType dtype);

}  // namespace xf::test
