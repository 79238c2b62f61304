// Ranks that MPI connects. A thread of its own exchanges the buckets of gradients while the backward pass
// goes on: of K ranks, each adds up a K-th of a bucket, in the order of the ranks, and gives the others the
// sum. That moves 2 (K-1)/K of the bucket in and out of each rank, which is the least possible (Patarasuk &
// Yuan 2009), and the result does not depend on how the bucket was cut.
//
// MPI waits by spinning, and would take the core from the computation: here waiting is asking and sleeping.

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "engine/core/error.h"
#include "kernels/mpi/module.h"

namespace xf::mpi {
namespace {

constexpr const char* kRemedy =
    "start all ranks with one mpirun, of the MPI that this program was built with";

void check(int status, const char* what) {
  if (status == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(status, text, &length);
  throw UnavailableError("MPI", std::string(what) + ": " + text, kRemedy);
}

/// MPI from MPI_Init to MPI_Finalize.
class Library {
 public:
  Library() {
    // Open MPI over TCP: without "put" transfers (2), whose answers have to be waited for, a ResNet50's
    // gradients took 0.9 s on a line of 1 Gbit/s instead of 1.4 s. Where somebody set it, that stays.
    ::setenv("OMPI_MCA_btl_tcp_flags", "312", 0);
    int provided = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread");
    if (provided < MPI_THREAD_MULTIPLE)
      throw UnavailableError("MPI", "cannot be used by several threads",
                             "use an MPI built with MPI_THREAD_MULTIPLE");
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() { MPI_Finalize(); }
};

/// A communicator of our own, whose errors are returned.
class Communicator {
 public:
  Communicator() {
    check(MPI_Comm_dup(MPI_COMM_WORLD, &handle_), "MPI_Comm_dup");
    MPI_Comm_set_errhandler(handle_, MPI_ERRORS_RETURN);
  }
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  ~Communicator() { MPI_Comm_free(&handle_); }
  [[nodiscard]] MPI_Comm get() const { return handle_; }
  [[nodiscard]] int rank() const {
    int rank = 0;
    MPI_Comm_rank(handle_, &rank);
    return rank;
  }
  [[nodiscard]] int size() const {
    int size = 1;
    MPI_Comm_size(handle_, &size);
    return size;
  }

 private:
  MPI_Comm handle_ = MPI_COMM_NULL;
};

void wait(std::vector<MPI_Request>& requests) {
  constexpr int kAtOnce = 50;
  constexpr std::chrono::microseconds kSleep{50};
  for (int asked = 0;; ++asked) {
    int done = 0;
    check(MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE),
          "MPI_Testall");
    if (done != 0) break;
    if (asked >= kAtOnce) std::this_thread::sleep_for(kSleep);
  }
  requests.clear();
}

/// The mean over all ranks of numbers that lie in any pieces.
class MeanOfRanks {
 public:
  explicit MeanOfRanks(const Communicator& comm) : comm_(comm), rank_(comm.rank()), size_(comm.size()) {}

  void run(const std::vector<std::span<float>>& tensors) {
    constexpr size_t kMost = kBucketBytes / sizeof(float);
    Pieces pieces;
    size_t held = 0;
    for (std::span<float> rest : tensors)
      while (!rest.empty()) {
        const size_t count = std::min(rest.size(), kMost - held);
        pieces.push_back(rest.first(count));
        rest = rest.subspan(count);
        held += count;
        if (held < kMost) continue;
        exchange(pieces, held);
        pieces.clear();
        held = 0;
      }
    if (held > 0) exchange(pieces, held);
  }

 private:
  using Pieces = std::vector<std::span<float>>;

  void exchange(const Pieces& pieces, size_t count) {
    float* const all = together(pieces, count);
    const auto cut = [&](int rank) { return count * static_cast<size_t>(rank) / static_cast<size_t>(size_); };
    const size_t begin = cut(rank_), mine = cut(rank_ + 1) - begin;
    theirs_.resize(std::max(theirs_.size(), mine * static_cast<size_t>(size_)));
    const auto of = [&](int rank) {
      return rank == rank_ ? all + begin : theirs_.data() + static_cast<size_t>(rank) * mine;
    };
    const auto each_other = [&](const auto& call) {
      for (int other = 0; other < size_; ++other)
        if (other != rank_) call(other);
    };
    each_other([&](int other) {
      receive(of(other), mine, other);
      send(all + cut(other), cut(other + 1) - cut(other), other);
    });
    wait(requests_);
    add_up(all + begin, mine, of);
    each_other([&](int other) {
      receive(all + cut(other), cut(other + 1) - cut(other), other);
      send(all + begin, mine, other);
    });
    wait(requests_);
    back_to(pieces, all);
  }

  /// In one row: where they lie, if that is one piece.
  float* together(const Pieces& pieces, size_t count) {
    if (pieces.size() == 1) return pieces[0].data();
    row_.resize(std::max(row_.size(), count));
    float* to = row_.data();
    for (const std::span<float>& piece : pieces) to = std::copy(piece.begin(), piece.end(), to);
    return row_.data();
  }

  static void back_to(const Pieces& pieces, const float* from) {
    if (pieces.size() == 1) return;
    for (const std::span<float>& piece : pieces) {
      std::copy_n(from, piece.size(), piece.begin());
      from += piece.size();
    }
  }

  /// `to`, which is one of the addends, becomes their mean.
  template <class Of>
  void add_up(float* to, size_t count, const Of& of) const {
    constexpr size_t kBlock = 4096;  // stays in the cache while the ranks are added one by one
    float sum[kBlock];
    const float share = 1.0F / static_cast<float>(size_);
    for (size_t first = 0; first < count; first += kBlock) {
      const size_t n = std::min(kBlock, count - first);
      std::copy_n(of(0) + first, n, sum);
      for (int rank = 1; rank < size_; ++rank) {
        const float* x = of(rank) + first;
        for (size_t i = 0; i < n; ++i) sum[i] += x[i];
      }
      for (size_t i = 0; i < n; ++i) to[first + i] = sum[i] * share;
    }
  }

  void send(const float* data, size_t count, int to) {
    check(MPI_Isend(data, static_cast<int>(count), MPI_FLOAT, to, 0, comm_.get(), &requests_.emplace_back()),
          "MPI_Isend");
  }
  void receive(float* data, size_t count, int from) {
    check(
        MPI_Irecv(data, static_cast<int>(count), MPI_FLOAT, from, 0, comm_.get(), &requests_.emplace_back()),
        "MPI_Irecv");
  }

  const Communicator& comm_;
  int rank_, size_;
  std::vector<float> row_, theirs_;
  std::vector<MPI_Request> requests_;
};

class MpiComm final : public Comm {
 public:
  MpiComm() : mean_(buckets_), thread_([this](const std::stop_token& stop) { exchange(stop); }) {
    MPI_Comm here = MPI_COMM_NULL;
    check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here),
          "MPI_Comm_split_type");
    MPI_Comm_rank(here, &local_rank_);
    MPI_Comm_size(here, &local_size_);
    MPI_Comm_free(&here);
  }
  ~MpiComm() override {
    thread_.request_stop();
    thread_.join();
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }
  [[nodiscard]] int local_rank() const override { return local_rank_; }
  [[nodiscard]] int local_size() const override { return local_size_; }

  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> mine) override {
    const auto count = static_cast<size_t>(size_);
    std::vector<int> sizes(count), offsets(count);
    const int size = static_cast<int>(mine.size());
    std::vector<MPI_Request> request(1);
    check(MPI_Iallgather(&size, 1, MPI_INT, sizes.data(), 1, MPI_INT, numbers_.get(), request.data()),
          "MPI_Iallgather");
    wait(request);
    size_t total = 0;
    for (size_t r = 0; r < count; ++r) {
      offsets[r] = static_cast<int>(total);
      total += static_cast<size_t>(sizes[r]);
    }
    std::vector<std::byte> all(total);
    if (total > 0) {
      request.resize(1);
      check(MPI_Iallgatherv(mine.data(), size, MPI_BYTE, all.data(), sizes.data(), offsets.data(), MPI_BYTE,
                            numbers_.get(), request.data()),
            "MPI_Iallgatherv");
      wait(request);
    }
    std::vector<std::vector<std::byte>> result;
    for (size_t r = 0; r < count; ++r)
      result.emplace_back(all.begin() + offsets[r], all.begin() + offsets[r] + sizes[r]);
    return result;
  }

  void start_mean(int bucket, std::vector<std::span<float>> tensors) override {
    Task task{std::move(tensors), {}};
    started_[bucket] = task.done.get_future();
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
  }
  void wait_mean(int bucket) override { started_.at(bucket).get(); }
  void observe(const std::function<void(const Exchange&)>& observer) override {
    const std::lock_guard lock(mutex_);
    observer_ = observer;
  }

 private:
  struct Task {
    std::vector<std::span<float>> tensors;
    std::promise<void> done;
  };

  void exchange(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [&] { return !tasks_.empty(); })) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      Exchange exchange{std::chrono::steady_clock::now(), {}, 0};
      for (const std::span<float>& t : task.tensors) exchange.bytes += t.size_bytes();
      std::exception_ptr error;
      try {
        mean_.run(task.tensors);
      } catch (...) {
        error = std::current_exception();
      }
      exchange.end = std::chrono::steady_clock::now();
      lock.lock();
      if (observer_) observer_(exchange);
      if (error)
        task.done.set_exception(error);
      else
        task.done.set_value();
    }
  }

  Library library_;
  Communicator numbers_, buckets_;  // for all_gather(), and for the thread
  int rank_ = numbers_.rank(), size_ = numbers_.size();
  int local_rank_ = 0, local_size_ = 1;
  MeanOfRanks mean_;  // the thread's
  std::map<int, std::future<void>> started_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Task> tasks_;
  std::function<void(const Exchange&)> observer_;
  std::jthread thread_;
};

std::unique_ptr<Comm> make_comm() { return std::make_unique<MpiComm>(); }
void end_all(int exit_code) { MPI_Abort(MPI_COMM_WORLD, exit_code); }

constexpr Module kModule{kModuleAbi, XFERRUN_MODULE_BUILD, &make_comm, &end_all};

}  // namespace
}  // namespace xf::mpi

const xf::mpi::Module* xferrun_mpi_module() { return &xf::mpi::kModule; }
