#pragma once
// The ranks of a training as threads of one process.

#include <functional>

#include "engine/dist/comm.h"

namespace xf::test {

/// Calls work() on so many threads at once, each with its rank's Comm, and returns when all are done. One
/// that ends, by an exception or because it has nothing more to do, wakes those that wait for it: they get
/// UnavailableError. Throws what the first of them threw.
///
/// Between start_mean() and wait_mean() the tensors hold NaN, so that nobody reads or writes them unnoticed.
/// Ranks that do not call the same function, or with tensors of other sizes, get InternalError.
void run_ranks(int ranks, const std::function<void(Comm&)>& work);

}  // namespace xf::test
