#pragma once
// A training of one process.

#include "engine/dist/comm.h"

namespace xf {

class SingleComm final : public Comm {
 public:
  [[nodiscard]] int rank() const override { return 0; }
  [[nodiscard]] int size() const override { return 1; }
  [[nodiscard]] int local_rank() const override { return 0; }
  [[nodiscard]] int local_size() const override { return 1; }
  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> mine) override {
    return {{mine.begin(), mine.end()}};
  }
  /// The mean of one.
  void start_mean(int /*bucket*/, std::vector<std::span<float>> /*tensors*/) override {}
  void wait_mean(int /*bucket*/) override {}
};

/// One for whoever needs no more.
Comm& single_comm();

}  // namespace xf
