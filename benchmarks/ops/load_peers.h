#pragma once
// Where cuDNN's own calls are found at run time.

#include <memory>

#include "benchmarks/peers/cudnn/peers.h"

namespace xf::bench {

/// cuDNN on `compute`, a stream of the CUDA module, through libxferrun_cudnn_peers.so beside that module.
/// Throws UnavailableError where there is none, or one of another build.
std::unique_ptr<Peers> load_peers(Stream& compute);

}  // namespace xf::bench
