#include <memory>

#include "engine/core/threads.h"
#include "tools/xferrun/cluster_analysis.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/hdf5_output.h"

namespace xf::tool {

namespace {

struct ClusterCommandOptions {
  ClusterOptions cluster;
  std::string features, out;
  int threads = 0;
  bool force = false, json = false;
};

void run(const ClusterCommandOptions& o) {
  if (o.threads != 0) set_threads(o.threads);
  check_output(o.out, o.force, {kClustersWrittenBy, "clusters", "this command"});
  const FeaturesFile features = read_features_file(o.features);
  const ClusterAnalysis analysis = analyse_clusters(features, o.cluster);
  write_clusters(o.out, features, analysis);
  print_line(o.json ? json_text(clusters_json(features, analysis)) : clusters_table(features, analysis));
}

}  // namespace

void add_cluster(CLI::App& app) {
  CLI::App& command = add_command(
      app, "cluster",
      "find groups, outliers and suspected wrong labels among features\n\n"
      "Groups are HDBSCAN's, on the features' principal axes, unscaled. --out holds /rows (of the\n"
      "features file), and for each of them /labels_found (-1: of no cluster), /probabilities and\n"
      "/outlier_scores; by cluster /first_gps; and, where there are labels, the rows of all images in\n"
      "/suspects, the most suspect first, with /suspect_scores and /suspect_proposals.",
      "xferrun cluster features.h5 --out clusters.h5\n"
      "  xferrun cluster features.h5 --within None_of_the_Above --out none_split.h5");
  const auto o = std::make_shared<ClusterCommandOptions>();
  command.add_option("features", o->features, "a file that features wrote")->required();
  command.add_option("--out", o->out, "the HDF5 file to write")->required();
  command.add_flag("--force", o->force, "replace earlier clusters in --out, and nothing else");
  command.add_option("--within", o->cluster.within, "look at the images of this class alone, and split it");
  command
      .add_option("--min-cluster-size", o->cluster.hdbscan.min_cluster_size, "fewer images are no cluster")
      ->check(CLI::Range(2, 1 << 30))
      ->capture_default_str();
  command
      .add_option("--min-samples", o->cluster.hdbscan.min_samples,
                  "nearest images, itself among them, that tell how dense it is around an image")
      ->check(CLI::Range(1, 1 << 30))
      ->capture_default_str();
  command
      .add_option("--axes", o->cluster.axes,
                  "principal axes that longer features are reduced to first; 0: they are not")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  command
      .add_option("--neighbours", o->cluster.labels.neighbours,
                  "nearest images whose labels an image's is held to")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--seed", o->cluster.labels.seed, "of the folds in which labels are checked")
      ->check(at_least_zero())
      ->capture_default_str();
  command.add_flag("--json", o->json, "one JSON document instead of tables");
  command.add_option("--threads", o->threads, "CPU threads; default: every core this process may use")
      ->check(CLI::Range(1, 1024));
  add_config_option(command);
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
