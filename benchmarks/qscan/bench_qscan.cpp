// How long the pictures of triggers take, from a block of strain to PNG files in memory.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/threads.h"
#include "engine/signal/noise.h"
#include "engine/signal/qscan.h"
#include "tools/xferrun/command.h"

namespace xf {
namespace {

struct Options {
  double rate = 16384;
  int threads = usable_cores(), triggers = 1, rounds = 7;
  bool json = false;
};

Strain noise_block(double rate) {
  Rng rng(1);
  const Series white = white_noise(rng, static_cast<size_t>(kBlockSeconds * rate));
  return {rate, {0, kBlockSeconds}, colour(white, rate), {}};
}

/// Seconds of one round: whitening, transform, drawing and compression, for `triggers` that share the block.
double round_seconds(const Strain& block, int triggers) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<double> gps;
  gps.reserve(static_cast<size_t>(triggers));
  for (int i = 0; i < triggers; ++i) gps.push_back(kBlockSeconds / 2 + 8.0 * (i + 0.5) / triggers - 4);
  for (const QScan& scan : QScanner(block).scan(gps))
    parallel_for(static_cast<int64_t>(scan.pictures.size()),
                 [&](int64_t i) { (void)io::encode_png(scan.pictures[static_cast<size_t>(i)]); });
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void run(const Options& o) {
  set_threads(o.threads);
  const Strain block = noise_block(o.rate);
  std::vector<double> seconds(static_cast<size_t>(o.rounds));
  for (double& round : seconds) round = round_seconds(block, o.triggers);
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  if (o.json) {
    const nlohmann::ordered_json j{{"sample_rate", o.rate},
                                   {"triggers", o.triggers},
                                   {"threads", o.threads},
                                   {"seconds", {{"median", median}, {"least", seconds.front()}}}};
    tool::print_line(j.dump());
    return;
  }
  tool::print_line(fmt::format(
      "{} s at {} Hz, {} trigger{}, four durations each, {} threads: {:.3f} s (least {:.3f})", kBlockSeconds,
      o.rate, o.triggers, o.triggers == 1 ? "" : "s", o.threads, median, seconds.front()));
}

}  // namespace
}  // namespace xf

int main(int argc, char** argv) {
  CLI::App app("Times the pictures of triggers that share a block of strain.", "bench-qscan");
  xf::Options o;
  app.add_option("--rate", o.rate, "samples a second")
      ->check(CLI::Range(256.0, 65536.0))
      ->capture_default_str();
  app.add_option("--triggers", o.triggers, "in the block")->check(CLI::Range(1, 32))->capture_default_str();
  app.add_option("--threads", o.threads)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--rounds", o.rounds)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_flag("--json", o.json);
  CLI11_PARSE(app, argc, argv);
  try {
    xf::run(o);
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench-qscan: {}\n", e.what());
    return 1;
  }
}
