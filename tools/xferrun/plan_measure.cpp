#include "tools/xferrun/plan_measure.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>

#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/io/atomic_file.h"
#include "tools/xferrun/checkpoint_files.h"
#include "tools/xferrun/stop_signal.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

/// A new folder that goes with its object.
class PassingFolder {
 public:
  explicit PassingFolder(const fs::path& within) {
    std::string name = (within / "xferrun-plan-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw io::write_failure(within, errno);
    path_ = name;
  }
  PassingFolder(const PassingFolder&) = delete;
  PassingFolder& operator=(const PassingFolder&) = delete;
  ~PassingFolder() {
    std::error_code none;
    fs::remove_all(path_, none);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void stop_if(const StopSignal& signal) {
  if (signal.requested()) throw StoppedError("--measure", "stopped", "nothing was kept");
}

double measure_steps(Trainer& trainer, const ImageBatch& batch, const StopSignal& signal) {
  constexpr int kFirst = 2, kCounted = 5;  // the first are slower: memory is touched, kernels are chosen
  std::array<double, kCounted> seconds{};
  for (int i = 0; i < kFirst + kCounted; ++i) {
    const auto start = std::chrono::steady_clock::now();
    trainer.step(batch);
    // As in a training: from the second on a step waits for the one before it.
    if (i != 1) static_cast<void>(trainer.loss());
    stop_if(signal);
    if (i >= kFirst)
      seconds.at(static_cast<size_t>(i - kFirst)) =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  static_cast<void>(trainer.loss());
  std::nth_element(seconds.begin(), seconds.begin() + kCounted / 2, seconds.end());
  return seconds[kCounted / 2];
}

}  // namespace

ImageBatch random_batch(const NetworkSpec& spec, int64_t count, int classes) {
  ImageBatch b{Tensor({count, spec.height, spec.width, spec.channels}, DType::u8),
               Tensor({count, 1, 1, 1}, DType::i32),
               Tensor({count, 1, 1, 1}),
               {}};
  Rng rng(1);
  for (uint8_t& x : b.images.as<uint8_t>()) x = static_cast<uint8_t>(rng.next());
  for (int32_t& label : b.labels.as<int32_t>())
    label = static_cast<int32_t>(rng.below(static_cast<uint64_t>(classes)));
  for (float& w : b.weights.as<float>()) w = 1;
  return b;
}

Measurement measure_training(const NetworkSpec& spec, const TrainOptions& train, int classes,
                             Session& session, const fs::path& folder) {
  const StopSignal signal;
  const PassingFolder checkpoints(folder);  // first: a wrong folder is better said before the work
  Trainer trainer(spec, train, session.backend(), session.store(), session.memory());
  Measurement m;
  m.step_seconds = measure_steps(trainer, random_batch(spec, train.batch, classes), signal);
  CheckpointWriter writer(checkpoints.path(), 1);
  writer.write(take_checkpoint(session.store(), TrainState{}, "{}"));
  writer.wait();
  m.checkpoint_seconds = writer.seconds();
  stop_if(signal);
  return m;
}

double stop_seconds(const Measurement& m, int accumulate) {
  return (1 + accumulate) * m.step_seconds + 2 * m.checkpoint_seconds;
}

double epoch_seconds(const Measurement& m, int64_t images, int64_t batch, int accumulate) {
  const int64_t batches = (images + batch - 1) / batch;
  return static_cast<double>(std::max<int64_t>(1, batches / accumulate) * accumulate) * m.step_seconds;
}

}  // namespace xf::tool
