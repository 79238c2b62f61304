#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "engine/analyze/features_file.h"
#include "engine/analyze/principal_axes.h"
#include "engine/analyze/tsne.h"
#include "engine/core/error.h"
#include "engine/core/threads.h"
#include "engine/io/hdf5.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/device.h"
#include "tools/xferrun/hdf5_output.h"
#include "tools/xferrun/progress.h"
#include "tools/xferrun/version.h"

namespace xf::tool {

namespace {

struct EmbedOptions {
  std::string features, out, device = "auto";
  TsneOptions tsne;
  int64_t pca = 0;  ///< principal axes kept before; 0: the features as they are
  int threads = 0;  ///< 0: every usable core
  bool force = false, json = false;
};

constexpr const char* kWrittenBy = "xferrun_embed";  // attribute: the version that wrote the file

std::string name_of(TsneRepulsion r) { return r == TsneRepulsion::exact ? "exact" : "Barnes-Hut"; }

/// What cannot go together is said before anything is computed.
void check(const EmbedOptions& o, const Points& features) {
  if (features.count < kTsneFewestPoints)
    throw DataError(o.features, fmt::format("/features has {} rows: a map needs {} at least", features.count,
                                            kTsneFewestPoints));
  const double most = tsne_most_perplexity(features.count);
  if (o.tsne.perplexity > most)
    throw UsageError(fmt::format("--perplexity {:.6g}", o.tsne.perplexity),
                     fmt::format("is too large for the {} rows of {}", features.count, o.features),
                     fmt::format("choose {} or less, a third of the other rows", static_cast<int64_t>(most)));
  const int64_t axes = std::min(features.count, features.dims);
  if (o.pca > axes)
    throw UsageError(fmt::format("--pca {}", o.pca),
                     fmt::format("is more than the {} principal axes that {} rows of {} numbers have", axes,
                                 features.count, features.dims));
}

void write_strings(hdf5::Writer& file, const std::string& dataset, const std::vector<std::string>& list) {
  if (!list.empty()) file.dataset(dataset, std::span<const std::string>(list));
}

void write(hdf5::Writer& file, const EmbedOptions& o, const FeaturesFile& from, const TsneMap& map) {
  const std::vector<int64_t> dims{from.features.count, o.tsne.dimensions};
  file.dataset("/embedding", std::span<const int64_t>(dims), std::span<const float>(map.coordinates));
  file.dataset("/kl_divergence", std::span<const int64_t>(), std::span<const double>(&map.kl_divergence, 1));
  write_strings(file, "/ids", from.ids);
  write_strings(file, "/labels", from.labels);
  write_strings(file, "/paths", from.paths);
  write_strings(file, "/splits", from.splits);
  if (!from.gps.empty()) {
    const int64_t count = from.features.count;
    file.dataset("/gps", std::span<const int64_t>(&count, 1), std::span<const double>(from.gps));
  }
  file.attribute("/", kWrittenBy, std::string_view(version_number()));
  file.attribute("/", "perplexity", o.tsne.perplexity);
  file.attribute("/", "repulsion", std::string_view(name_of(map.repulsion)));
  file.commit();
}

void print(const EmbedOptions& o, int64_t points, const TsneMap& map) {
  if (!o.json) {
    print_line(fmt::format("{} points written to {}: KL divergence {:.4f} ({} t-SNE)", points, o.out,
                           map.kl_divergence, name_of(map.repulsion)));
    return;
  }
  const nlohmann::ordered_json j{{"points", points},
                                 {"dimensions", o.tsne.dimensions},
                                 {"perplexity", o.tsne.perplexity},
                                 {"iterations", o.tsne.iterations},
                                 {"seed", o.tsne.seed},
                                 {"repulsion", name_of(map.repulsion)},
                                 {"kl_divergence", map.kl_divergence}};
  print_line(json_text(j));
}

void run(EmbedOptions o) {
  check_output(o.out, o.force, {kWrittenBy, "embeddings", "this command"});
  const FeaturesFile from = read_features_file(o.features);
  check(o, from.features);
  hdf5::Writer file(o.out);  // before the work: what cannot be written is better known now
  if (o.threads > 0) set_threads(o.threads);
  const std::unique_ptr<TsneBackend> backend = open_tsne_device(o.device);
  Progress progress("t-SNE", "iterations");
  o.tsne.progress = [&](int64_t done, int64_t total) {
    progress.update(done, total, "");
    return true;
  };
  const TsneMap map =
      o.pca == 0 ? tsne(from.features, o.tsne, *backend)
                 : tsne(principal_axes(from.features, o.pca).project(from.features), o.tsne, *backend);
  progress.finish();
  write(file, o, from, map);
  print(o, from.features.count, map);
}

}  // namespace

void add_embed(CLI::App& app) {
  CLI::App& command = add_command(app, "embed", "draw features as a map of three dimensions: t-SNE",
                                  "xferrun embed features.h5 --out map.h5");
  const auto o = std::make_shared<EmbedOptions>();
  command.add_option("features", o->features, "an HDF5 file with /features, as `xferrun features` writes it")
      ->required();
  command.add_option("--out", o->out, "the HDF5 file to write: /embedding, /kl_divergence, /ids, /labels, …")
      ->required();
  command.add_flag("--force", o->force, "replace an earlier embedding in --out, and nothing else");
  command.add_option("--dimensions", o->tsne.dimensions, "of the map: 2 or 3")
      ->check(CLI::IsMember({2, 3}))
      ->capture_default_str();
  command
      .add_option("--perplexity", o->tsne.perplexity,
                  "how many neighbours a point has, softly; a third of the other points at most")
      ->check(between(1, 1e6))
      ->capture_default_str();
  command.add_option("--iterations", o->tsne.iterations, "steps of gradient descent")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command
      .add_option("--pca", o->pca, "map the first so many principal axes instead of the features themselves")
      ->check(CLI::Range(1, 1000000));
  command.add_option("--seed", o->tsne.seed, "of the noise at the start")->capture_default_str();
  command.add_option("--device", o->device, "auto (the first GPU, else the CPU), cpu, cuda or cuda:I")
      ->check(word_of(parse_device))
      ->capture_default_str();
  command.add_option("--threads", o->threads, "CPU threads; default: every core this process may use")
      ->check(CLI::Range(1, 1024));
  command.add_flag("--json", o->json, "one JSON document instead of a line");
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
