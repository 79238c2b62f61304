#include "engine/data/loader.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <span>
#include <thread>
#include <utility>

#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/data/image_cache.h"
#include "engine/data/pixels.h"
#include "engine/data/resize.h"

namespace xf {

namespace {

constexpr uint64_t kOrderStream = uint64_t{0x6F7264} << 32;

size_t image_bytes(const LoaderOptions& o) {
  return static_cast<size_t>(o.height) * static_cast<size_t>(o.width) * static_cast<size_t>(o.channels);
}

size_t batch_bytes(const LoaderOptions& o) {
  return static_cast<size_t>(o.batch) * (image_bytes(o) + sizeof(int32_t) + sizeof(float) + sizeof(int64_t));
}

void require_positive(const char* option, int64_t value) {
  if (value < 1) throw UsageError(option, fmt::format("needs 1 or more, got {}", value));
}

const LoaderOptions& checked(const LoaderOptions& o) {
  require_positive("--batch", o.batch);
  require_positive("image height", o.height);
  require_positive("image width", o.width);
  require_positive("loader threads", o.threads);
  require_positive("loader depth", o.depth);
  return o;
}

/// Below everything that computes. Linux keeps a nice value for each thread; failure to set it harms nothing.
void lower_own_priority() { (void)setpriority(PRIO_PROCESS, 0, 10); }

}  // namespace

std::vector<int64_t> epoch_order(int64_t count, Order order, uint64_t seed, int64_t epoch) {
  std::vector<int64_t> result(static_cast<size_t>(count));
  std::iota(result.begin(), result.end(), int64_t{0});
  if (order == Order::shuffled) {
    Rng rng(seed, kOrderStream + static_cast<uint64_t>(epoch));
    rng.shuffle(result);
  }
  return result;
}

/// A ring of `depth` batches: threads claim the next one to make, in order; next() takes them in order.
class Loader::Work {
 public:
  Work(std::vector<Sample> samples, const LoaderOptions& options)
      : samples_(std::move(samples)),
        options_(checked(options)),
        cache_(samples_.size(), image_bytes(options), options.cache_limit),
        slots_(static_cast<size_t>(options.depth)) {
    for (int i = 0; i < options_.threads; ++i)
      threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
  }

  [[nodiscard]] int64_t batches() const {
    const int64_t all = options_.batch * options_.shard.count;
    return (static_cast<int64_t>(samples_.size()) + all - 1) / all;
  }

  void start_epoch(int64_t epoch, int64_t first_batch) {
    std::unique_lock lock(mutex_);
    end_ = 0;  // nothing more is claimed
    changed_.wait(lock, [&] { return busy_ == 0; });
    for (Slot& slot : slots_) slot = Slot{std::move(slot.batch), nullptr, Slot::State::empty};
    epoch_ = epoch;
    order_ = epoch_order(static_cast<int64_t>(samples_.size()), options_.order, options_.seed, epoch);
    claimed_ = delivered_ = std::min(first_batch, batches());
    end_ = batches();
    changed_.notify_all();
  }

  bool next(ImageBatch& batch) {
    std::unique_lock lock(mutex_);
    if (delivered_ >= end_) return false;
    Slot& slot = slots_[static_cast<size_t>(delivered_) % slots_.size()];
    changed_.wait(lock, [&] { return slot.state == Slot::State::made; });
    if (slot.error) {
      end_ = delivered_;
      std::rethrow_exception(std::exchange(slot.error, nullptr));
    }
    std::swap(batch, slot.batch);
    slot.state = Slot::State::empty;
    ++delivered_;
    changed_.notify_all();
    return true;
  }

  [[nodiscard]] size_t bytes_held() const {
    return cache_.bytes_held() + slots_.size() * batch_bytes(options_);
  }

 private:
  struct Slot {
    enum class State : uint8_t { empty, made };
    ImageBatch batch;
    std::exception_ptr error;
    State state = State::empty;
  };

  void run(const std::stop_token& stop) {
    lower_own_priority();
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [&] {
      return claimed_ < end_ && claimed_ < delivered_ + static_cast<int64_t>(slots_.size());
    })) {
      const int64_t index = claimed_++;
      Slot& slot = slots_[static_cast<size_t>(index) % slots_.size()];
      ++busy_;
      lock.unlock();
      std::exception_ptr error;
      try {
        make(index, slot.batch, stop);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      --busy_;
      slot.error = std::move(error);
      slot.state = Slot::State::made;
      changed_.notify_all();
    }
  }

  void make(int64_t index, ImageBatch& batch, const std::stop_token& stop) {
    const Shape shape{options_.batch, options_.height, options_.width, options_.channels};
    if (batch.images.shape() != shape) {
      batch.images = Tensor(shape, DType::u8);
      batch.labels = Tensor({options_.batch, 1, 1, 1}, DType::i32);
      batch.weights = Tensor({options_.batch, 1, 1, 1}, DType::f32);
    }
    batch.samples.assign(static_cast<size_t>(options_.batch), -1);
    const size_t count = image_bytes(options_);
    for (size_t i = 0; i < batch.samples.size(); ++i) {
      if (stop.stop_requested()) return;
      const std::span<uint8_t> pixels = batch.images.as<uint8_t>().subspan(i * count, count);
      const int64_t part = index * options_.shard.count + options_.shard.index;
      const size_t at = static_cast<size_t>(part * options_.batch) + i;
      const bool padding = at >= order_.size() && options_.last == LastBatch::pad;
      batch.weights.as<float>()[i] = padding ? 0.0F : 1.0F;
      batch.labels.as<int32_t>()[i] = 0;
      if (padding) {
        std::fill(pixels.begin(), pixels.end(), uint8_t{0});
        continue;
      }
      const int64_t sample = order_[at % order_.size()];
      batch.samples[i] = sample;
      batch.labels.as<int32_t>()[i] = samples_[static_cast<size_t>(sample)].label;
      load(sample, pixels);
    }
  }

  void load(int64_t sample, std::span<uint8_t> pixels) {
    const auto i = static_cast<size_t>(sample);
    if (!cache_.get(i, pixels)) {
      resize(read_image(samples_[i]), options_.resize, options_.height, options_.width, options_.channels,
             pixels);
      cache_.put(i, pixels);
    }
    if (!options_.augment.any()) return;
    const std::vector<uint8_t> plain(pixels.begin(), pixels.end());
    augment(options_.augment, options_.seed, epoch_, sample, options_.height, options_.width, plain, pixels);
  }

  const std::vector<Sample> samples_;
  const LoaderOptions options_;
  ImageCache cache_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Slot> slots_;
  std::vector<int64_t> order_;  // as epoch_, written only while no batch is being made
  int64_t epoch_ = 0, claimed_ = 0, delivered_ = 0, end_ = 0, busy_ = 0;
  std::vector<std::jthread> threads_;  // last: they end before what they use does
};

Loader::Loader(std::vector<Sample> samples, const LoaderOptions& options)
    : work_(std::make_unique<Work>(std::move(samples), options)) {}
Loader::~Loader() = default;
int64_t Loader::batches() const { return work_->batches(); }
void Loader::start_epoch(int64_t epoch, int64_t first_batch) { work_->start_epoch(epoch, first_batch); }
bool Loader::next(ImageBatch& batch) { return work_->next(batch); }
size_t Loader::bytes_held() const { return work_->bytes_held(); }

size_t Loader::bytes_bound(size_t samples, const LoaderOptions& options) {
  return ImageCache::bytes_bound(samples, image_bytes(options), options.cache_limit) +
         (static_cast<size_t>(options.depth) + 1) * batch_bytes(options);
}

}  // namespace xf
