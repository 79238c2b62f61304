#pragma once
// Batches of images for training and evaluation, decoded ahead of time by threads of their own.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/core/tensor.h"
#include "engine/data/augment.h"
#include "engine/data/dataset.h"
#include "engine/data/preprocess.h"

namespace xf {

enum class Order : uint8_t { shuffled, sequential };

/// What to do when the samples do not fill the last batch.
enum class LastBatch : uint8_t {
  wrap,  ///< for training: fill it with the epoch's first samples (padding would spoil batch statistics)
  pad    ///< for evaluation: black images of weight 0, label 0 and sample -1
};

/// The part of each step's images that one of several ranks makes: of `count * batch` in their order the
/// `index`-th `batch`.
struct Shard {
  int index = 0, count = 1;
};

struct LoaderOptions {
  int64_t batch = 16;  ///< of this rank
  Shard shard = {};
  int height = 0, width = 0;
  int channels = 3;  ///< of the batch: 3, or 1 for grey
  ResizeRule resize = ResizeRule::tf_bilinear;
  Order order = Order::shuffled;
  LastBatch last = LastBatch::wrap;
  uint64_t seed = 0;
  Augment augment = {};
  int threads = 1;  ///< they run at low priority: the computation uses all cores
  int depth = 2;    ///< batches that may wait, made or in the making
  /// Decoded images kept in memory, in bytes: 256 MiB hold 1000 images of 299x299.
  size_t cache_limit = size_t{256} << 20;
};

struct ImageBatch {
  Tensor images;                 ///< u8, (batch, height, width, channels), RGB or grey
  Tensor labels;                 ///< i32, (batch, 1, 1, 1)
  Tensor weights;                ///< f32, (batch, 1, 1, 1): 1, or 0 for padding
  std::vector<int64_t> samples;  ///< indices into the loader's samples; -1 for padding
};

/// The order in which epoch `epoch` visits `count` samples: a pure function of its arguments.
std::vector<int64_t> epoch_order(int64_t count, Order order, uint64_t seed, int64_t epoch);

/// Epochs of batches. What next() gives depends on the samples, the options but `threads`, `depth` and
/// `cache_limit`, and the epoch alone. One thread uses a loader; it may be destroyed at any time.
class Loader {
 public:
  /// Throws UsageError for a batch, size, thread count or depth below 1.
  Loader(std::vector<Sample> samples, const LoaderOptions& options);
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;
  ~Loader();

  /// Batches of an epoch.
  [[nodiscard]] int64_t batches() const;
  /// Begins an epoch, at `first_batch` where a run is resumed; what was left of an earlier one is dropped.
  void start_epoch(int64_t epoch, int64_t first_batch = 0);
  /// The next batch, or false at the end of the epoch. Reuses the memory of `batch`. Rethrows what went wrong
  /// while this batch was made (DataError, MissingInputError: the file is named); the epoch is over then.
  bool next(ImageBatch& batch);

  /// Image memory in use: cache and waiting batches.
  [[nodiscard]] size_t bytes_held() const;
  /// What bytes_held() and the caller's batch can become together. Besides, each thread holds one file and
  /// its pixels in full size while it decodes.
  static size_t bytes_bound(size_t samples, const LoaderOptions& options);

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace xf
