#pragma once
// Where launches on the CPU go: without a queue they run at once. A stand-in for CUDA's streams sets one.

#include <functional>

namespace xf::simt {

/// Takes a launch on `stream` (a cudaStream_t) and runs it later, or now.
using Queue = void (*)(void* stream, std::function<void()> work);

/// Holds for the launches that follow; null: run at once.
void set_queue(Queue queue);

}  // namespace xf::simt
