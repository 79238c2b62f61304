#include "tests/support/thread_comm.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "engine/core/error.h"

namespace xf::test {

namespace {

using Gathered = std::vector<std::vector<std::byte>>;

/// Where the ranks wait for each other.
class Meeting {
 public:
  explicit Meeting(int ranks) : given_(static_cast<size_t>(ranks)) {}
  [[nodiscard]] int ranks() const { return static_cast<int>(given_.size()); }

  /// What each rank gave; all have to come for the same purpose.
  Gathered gather(int rank, int purpose, std::span<const std::byte> mine) {
    std::unique_lock lock(mutex_);
    if (arrived_ == 0) purpose_ = purpose;
    if (purpose != purpose_)
      throw InternalError(fmt::format("rank {}", rank), "calls what the others do not");
    given_[static_cast<size_t>(rank)].assign(mine.begin(), mine.end());
    const int meeting = meetings_;
    if (++arrived_ == ranks()) {
      gathered_ = given_;
      arrived_ = 0;
      ++meetings_;
      changed_.notify_all();
    }
    changed_.wait(lock, [&] { return meetings_ != meeting || gone_; });
    if (meetings_ == meeting)
      throw UnavailableError(fmt::format("rank {}", *gone_), "ended before the others");
    return gathered_;  // complete until this rank comes again
  }

  void leave(int rank) {
    const std::lock_guard lock(mutex_);
    if (!gone_) gone_ = rank;
    changed_.notify_all();
  }

  void leave(int rank, std::exception_ptr error) {
    {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::move(error);
    }
    leave(rank);
  }

  [[nodiscard]] std::exception_ptr error() const { return error_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Gathered given_, gathered_;
  int arrived_ = 0, purpose_ = 0, meetings_ = 0;
  std::optional<int> gone_;
  std::exception_ptr error_;
};

class ThreadComm final : public Comm {
 public:
  ThreadComm(Meeting& meeting, int rank) : meeting_(meeting), rank_(rank) {}
  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return meeting_.ranks(); }
  [[nodiscard]] int local_rank() const override { return rank_; }
  [[nodiscard]] int local_size() const override { return size(); }

  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> mine) override {
    constexpr int kNoBucket = -1;
    return meeting_.gather(rank_, kNoBucket, mine);
  }

  void start_mean(int bucket, std::vector<std::span<float>> tensors) override {
    Started started{std::move(tensors), {}};
    for (const std::span<float> t : started.tensors) {
      started.numbers.insert(started.numbers.end(), t.begin(), t.end());
      std::fill(t.begin(), t.end(), std::numeric_limits<float>::quiet_NaN());
    }
    if (!started_.emplace(bucket, std::move(started)).second)
      throw InternalError(fmt::format("bucket {}", bucket), "is under way already");
  }

  void wait_mean(int bucket) override {
    const auto found = started_.find(bucket);
    if (found == started_.end()) throw InternalError(fmt::format("bucket {}", bucket), "is not under way");
    auto& [tensors, numbers] = found->second;
    const Gathered all = meeting_.gather(rank_, bucket, std::as_bytes(std::span(numbers)));
    std::vector<float> sum(numbers.size()), one(numbers.size());
    for (const std::vector<std::byte>& given : all) {
      if (given.size() != numbers.size() * sizeof(float))
        throw InternalError(fmt::format("bucket {}", bucket), "has another size on each rank");
      std::copy(given.begin(), given.end(), reinterpret_cast<std::byte*>(one.data()));
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += one[i];
    }
    const float* mean = sum.data();
    for (const std::span<float> t : tensors)
      for (float& x : t) x = *mean++ * (1.0F / static_cast<float>(size()));
    started_.erase(found);
  }

 private:
  struct Started {
    std::vector<std::span<float>> tensors;
    std::vector<float> numbers;
  };
  Meeting& meeting_;
  int rank_;
  std::map<int, Started> started_;
};

}  // namespace

void run_ranks(int ranks, const std::function<void(Comm&)>& work) {
  Meeting meeting(ranks);
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(ranks));
  for (int rank = 0; rank < ranks; ++rank)
    threads.emplace_back([&, rank] {
      try {
        ThreadComm comm(meeting, rank);
        work(comm);
        meeting.leave(rank);
      } catch (...) {
        meeting.leave(rank, std::current_exception());
      }
    });
  for (std::thread& thread : threads) thread.join();
  if (meeting.error()) std::rethrow_exception(meeting.error());
}

}  // namespace xf::test
