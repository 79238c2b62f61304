#pragma once
// Several ranks in one process. The stand-in knows no threads: of those that belong to ranks one runs at a
// time, until it waits for the others.

#include <functional>

#include "engine/dist/comm.h"

namespace xf::standin {

/// Gives the other ranks a turn until one of them has done something. False when there is none that could:
/// all wait, or have ended, or a minute passed.
bool let_others_run();
/// Streams and communicators tell of everything that somebody may wait for.
void something_happened();

/// Calls work() on a thread for each rank, with a Comm among them (tests/support/thread_comm.h) that lets the
/// others run while it waits. There are as many devices meanwhile. Throws what the first of them threw.
void run_ranks(int ranks, const std::function<void(Comm&)>& work);

}  // namespace xf::standin
