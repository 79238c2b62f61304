#include "tests/standin/turns.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <utility>

#include "tests/standin/device.h"
#include "tests/support/thread_comm.h"

namespace xf::standin {
namespace {

// What is not the mutex's alone changes on the thread that has the turn, and is read where nobody has it.
struct Turns {
  std::mutex mutex;
  std::condition_variable changed;
  bool taken = false;
  int ranks = 0;
  uint64_t happened = 0;
  int waiting = 0;          ///< ranks that found nothing to do …
  uint64_t waiting_at = 0;  ///< … since so much had happened

  void take(std::unique_lock<std::mutex>& lock) {
    changed.wait(lock, [&] { return !taken; });
    taken = true;
  }
  void give() {
    taken = false;
    changed.notify_all();
  }
};
Turns& turns() {
  static Turns t;
  return t;
}

/// A rank, from its first turn to its last.
class Rank {
 public:
  Rank() {
    std::unique_lock lock(turns().mutex);
    ++turns().ranks;
    turns().take(lock);
  }
  ~Rank() {
    const std::lock_guard lock(turns().mutex);
    --turns().ranks;
    turns().give();
  }
  Rank(const Rank&) = delete;
  Rank& operator=(const Rank&) = delete;
};

/// A time in which the rank waits for what is none of the stand-in's.
class Away {
 public:
  Away() {
    const std::lock_guard lock(turns().mutex);
    turns().give();
  }
  ~Away() {
    std::unique_lock lock(turns().mutex);
    turns().take(lock);
  }
  Away(const Away&) = delete;
  Away& operator=(const Away&) = delete;
};

class TurnGivingComm final : public Comm {
 public:
  explicit TurnGivingComm(Comm& comm) : comm_(comm) {}
  [[nodiscard]] int rank() const override { return comm_.rank(); }
  [[nodiscard]] int size() const override { return comm_.size(); }
  [[nodiscard]] int local_rank() const override { return comm_.local_rank(); }
  [[nodiscard]] int local_size() const override { return comm_.local_size(); }
  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> mine) override {
    const Away away;
    return comm_.all_gather(mine);
  }
  void start_mean(int bucket, std::vector<std::span<float>> tensors) override {
    comm_.start_mean(bucket, std::move(tensors));
  }
  void wait_mean(int bucket) override {
    const Away away;
    comm_.wait_mean(bucket);
  }

 private:
  Comm& comm_;
};

}  // namespace

bool let_others_run() {
  Turns& t = turns();
  std::unique_lock lock(t.mutex);
  if (t.ranks == 0) return false;
  const uint64_t before = t.happened;
  if (std::exchange(t.waiting_at, before) != before) t.waiting = 0;
  ++t.waiting;
  t.give();
  t.changed.wait_for(lock, std::chrono::minutes(1),
                     [&] { return !t.taken && (t.happened != before || t.waiting == t.ranks); });
  t.take(lock);
  return t.happened != before;
}

void something_happened() { ++turns().happened; }

void run_ranks(int ranks, const std::function<void(Comm&)>& work) {
  const int devices = std::exchange(machine().devices, ranks);
  struct Back {
    int devices;
    ~Back() { machine().devices = devices; }
  };
  const Back back{devices};
  std::exception_ptr first;  // in the order of turns: others may be faster to notice that a rank has ended
  const auto in_turn = [&](Comm& comm) {
    const Rank rank;
    TurnGivingComm mine(comm);
    try {
      work(mine);
    } catch (...) {
      if (!first) first = std::current_exception();
      throw;
    }
  };
  try {
    test::run_ranks(ranks, in_turn);
  } catch (...) {
    std::rethrow_exception(first ? first : std::current_exception());
  }
}

}  // namespace xf::standin
