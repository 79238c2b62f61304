#pragma once
// t-SNE on a GPU.

#include <memory>

#include "engine/analyze/tsne_backend.h"

namespace xf::cuda {

/// Throws UnavailableError where device `index` is not there or below compute capability 7.5.
std::unique_ptr<TsneBackend> make_tsne_device(int index);

}  // namespace xf::cuda
