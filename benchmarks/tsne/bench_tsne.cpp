// t-SNE of synthetic clusters or of a features file: seconds and KL divergence.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <nlohmann/json.hpp>

#include "engine/analyze/features_file.h"
#include "engine/analyze/tsne.h"
#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/core/threads.h"
#include "engine/io/hdf5.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/device.h"

namespace xf {
namespace {

struct Options {
  TsneOptions tsne;
  std::string features, out, device = "cpu";
  int64_t points = 4000, dims = 2048, clusters = 22;
  int threads = 0;
  bool json = false;
};

/// Normal clusters of different widths around normal centres, in a fifth of the dimensions; the others are
/// noise.
Points synthetic(const Options& o) {
  Rng rng(o.tsne.seed, 1);
  const int64_t informed = (o.dims + 4) / 5;
  std::vector<float> centres(static_cast<size_t>(o.clusters * informed));
  for (float& x : centres) x = static_cast<float>(rng.normal());
  Points points{o.points, o.dims, {}};
  points.values.reserve(static_cast<size_t>(o.points * o.dims));
  for (int64_t i = 0; i < o.points; ++i) {
    const int64_t cluster = i % o.clusters;
    const double width = 0.5 + static_cast<double>(cluster) / static_cast<double>(o.clusters);
    for (int64_t d = 0; d < o.dims; ++d) {
      const double centre = d < informed ? centres[static_cast<size_t>(cluster * informed + d)] : 0;
      points.values.push_back(static_cast<float>(centre + (d < informed ? width : 0.2) * rng.normal()));
    }
  }
  return points;
}

void write(const std::string& path, const Points& points, const TsneMap& map) {
  hdf5::Writer file(path);
  const std::vector<int64_t> in{points.count, points.dims},
      out{points.count, static_cast<int64_t>(map.coordinates.size()) / points.count};
  file.dataset("/features", std::span<const int64_t>(in), std::span<const float>(points.values));
  file.dataset("/embedding", std::span<const int64_t>(out), std::span<const float>(map.coordinates));
  file.commit();
}

void run(const Options& o) {
  const Points points = o.features.empty() ? synthetic(o) : read_features_file(o.features).features;
  if (o.threads > 0) set_threads(o.threads);
  const auto backend = tool::open_tsne_device(o.device);
  const auto start = std::chrono::steady_clock::now();
  const TsneMap map = tsne(points, o.tsne, *backend);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!o.out.empty()) write(o.out, points, map);
  const char* repulsion = map.repulsion == TsneRepulsion::exact ? "exact" : "Barnes-Hut";
  if (!o.json) {
    tool::print_line(fmt::format("{} points of {} dimensions: {:.2f} s, KL divergence {:.4f} ({})",
                                 points.count, points.dims, seconds, map.kl_divergence, repulsion));
    return;
  }
  const nlohmann::ordered_json j{{"points", points.count},
                                 {"dims", points.dims},
                                 {"dimensions", o.tsne.dimensions},
                                 {"perplexity", o.tsne.perplexity},
                                 {"iterations", o.tsne.iterations},
                                 {"threads", threads()},
                                 {"repulsion", repulsion},
                                 {"seconds", seconds},
                                 {"kl_divergence", map.kl_divergence}};
  tool::print_line(j.dump());
}

}  // namespace
}  // namespace xf

int main(int argc, char** argv) {
  CLI::App app("Times t-SNE, from the points in memory to the map.", "bench-tsne");
  xf::Options o;
  app.add_option("--features", o.features, "an HDF5 file with /features; default: synthetic clusters");
  app.add_option("--points", o.points, "of the clusters together")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--dims", o.dims, "numbers of a point")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--clusters", o.clusters, "how many")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--dimensions", o.tsne.dimensions, "of the map")
      ->check(CLI::IsMember({2, 3}))
      ->capture_default_str();
  app.add_option("--perplexity", o.tsne.perplexity, "as in xferrun embed")->capture_default_str();
  app.add_option("--iterations", o.tsne.iterations, "as in xferrun embed")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", o.tsne.seed, "of the clusters and of the map")->capture_default_str();
  app.add_option("--threads", o.threads, "CPU threads; default: every core this process may use")
      ->check(CLI::Range(1, 1024));
  app.add_option("--device", o.device, "as in xferrun embed")
      ->check(xf::tool::word_of(xf::tool::parse_device))
      ->capture_default_str();
  app.add_option("--out", o.out, "keep the points and the map in this HDF5 file: /features, /embedding");
  app.add_flag("--json", o.json, "one JSON document");
  try {
    CLI11_PARSE(app, argc, argv);
    xf::run(o);
  } catch (const xf::Error& e) {
    fmt::print(stderr, "bench-tsne: error: {}\n{}\n", e.what(), e.remedy());
    return 1;
  }
  return 0;
}
