#pragma once
// Where every value lies: aliases first, then offsets.

#include "engine/plan/compile.h"

namespace xf {

/// Fills plan.slots, the scratch slots and the sizes. Concatenations and slices whose neighbours can read and
/// write with a row stride become views, and their steps go; kernels that can work in place do, where the
/// input is not needed afterwards; a new state lies in the old one's memory. What is left is placed largest
/// first, at the first offset that is free for its whole lifetime (256-byte aligned).
void place(Plan& plan);

}  // namespace xf
