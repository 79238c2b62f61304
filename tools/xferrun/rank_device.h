#pragma once
// What of its machine one of several ranks computes on.

#include "engine/dist/comm.h"
#include "engine/run/backend.h"

namespace xf::tool {

/// How many threads a rank has: the cores that it may use, shared out evenly among the ranks of its machine
/// that may use them too. Called by all ranks.
int cores_of_rank(Comm& comm);

/// Connects the devices of all ranks. Throws UnavailableError where some compute on a GPU and some do not,
/// and as Backend::join() does.
void join_ranks(Backend& backend, Comm& comm);

}  // namespace xf::tool
