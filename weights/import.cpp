#include "weights/import.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "engine/core/error.h"
#include "engine/core/threads.h"
#include "weights/legacy_keras.h"
#include "weights/match.h"
#include "weights/md5.h"
#include "weights/recognise.h"
#include "weights/tables/official.h"

namespace xf::weights {
namespace {

bool any_layer_has(const LegacyFile& file, Role role) {
  return std::any_of(file.layers.begin(), file.layers.end(),
                     [&](const StoredLayer& l) { return l.find(role) != nullptr; });
}

std::optional<Dialect> dialect_of(const LegacyFile& file, const std::string& network) {
  const bool canonical = std::any_of(file.layers.begin(), file.layers.end(), [](const StoredLayer& l) {
    return l.name.find('.') != std::string::npos;
  });
  try {
    Dialect d = canonical ? torchvision_dialect(network) : keras_dialect(network);
    d.preprocess.reset();
    d.bn_gamma = any_layer_has(file, Role::gamma) ? BnGamma::present : BnGamma::absent;
    return d;
  } catch (const UsageError&) {
    return std::nullopt;  // recognised, and not among the networks of that family here
  }
}

/// A tensor to be read, and where it goes.
struct Job {
  const StoredTensor* stored;
  const NamedShape* wanted;
  std::string label;  ///< both names, for errors
  std::optional<std::string> checksum;
  std::vector<float> raw;
  Tensor tensor;
  std::string problem;
};

std::string text_of(const std::vector<int64_t>& dims) { return fmt::format("{}", fmt::join(dims, "x")); }

/// Collects what is wrong with a file, and throws it all at once.
class Problems {
 public:
  Problems(const std::filesystem::path& path, std::string_view network) : path_(path), network_(network) {}

  void add(std::string text) { texts_.push_back(std::move(text)); }

  void throw_if_any() const {
    if (texts_.empty()) return;
    constexpr size_t kShown = 20;
    const size_t shown = std::min(kShown, texts_.size());
    std::string list =
        fmt::format("{}", fmt::join(texts_.begin(), texts_.begin() + static_cast<long>(shown), "\n  "));
    if (shown < texts_.size()) list += fmt::format("\n  and {} more", texts_.size() - shown);
    throw DataError(
        path_.string(),
        fmt::format("{} of its tensors cannot be used for {}:\n  {}", texts_.size(), network_, list),
        "Check that the file is whole and holds this network.");
  }

 private:
  const std::filesystem::path& path_;
  std::string_view network_;
  std::vector<std::string> texts_;
};

/// A file of this program says which network it holds; of any other the layers tell.
std::optional<std::string> network_of(const LegacyFile& stored, const std::optional<RunInfo>& run) {
  return run && !run->network.empty() ? run->network : recognise(stored);
}

void check_network(const std::filesystem::path& path, const std::optional<RunInfo>& run,
                   const std::optional<std::string>& holds, std::string_view network) {
  if (!holds || *holds == network) return;
  if (!run && *holds + "_narrow" == network) return;  // layers do not tell how wide they are: shapes will
  throw DataError(path.string(), fmt::format("holds the weights of {}, not of {}", *holds, network),
                  fmt::format("Name weights of {}, or another --model.", network));
}

/// The tensors to be read, in the model's order; what does not fit goes to `problems`.
std::vector<Job> plan_jobs(const LegacyFile& file, const std::vector<MatchedLayer>& matched,
                           std::span<const NamedShape> wanted, Problems& problems,
                           std::map<std::string, Tensor>& filled) {
  const bool has_gamma = any_layer_has(file, Role::gamma);
  std::vector<Job> jobs;
  for (const MatchedLayer& m : matched) {
    for (const Part& part : m.layer->parts) {
      const NamedShape& want = wanted[part.index];
      const StoredTensor* tensor = m.stored == nullptr ? nullptr : m.stored->find(part.role);
      if (part.role == Role::gamma && !has_gamma) {
        Tensor ones(want.shape);
        std::fill(ones.as<float>().begin(), ones.as<float>().end(), 1.0F);
        filled.emplace(want.name, std::move(ones));
        continue;
      }
      const std::string file_name =
          tensor != nullptr ? tensor->name : fmt::format("{}/{}", m.expected, keras_name(part.role));
      const std::string label = fmt::format("{} ({})", file_name, want.name);
      if (tensor == nullptr || !tensor->dims) {
        problems.add(label + ": missing");
        continue;
      }
      const std::vector<int64_t> dims = keras_dims(want, m.layer->kind, part.role);
      if (*tensor->dims != dims) {
        problems.add(fmt::format("{}: is {}, should be {}", label, text_of(*tensor->dims), text_of(dims)));
        continue;
      }
      jobs.push_back({tensor, &want, label, {}, {}, {}, {}});
    }
  }
  return jobs;
}

/// Tensors of the file that nothing asked for: those of a classifier are ignored, any other is a problem.
void sort_out_rest(const LegacyFile& file, const std::vector<MatchedLayer>& matched, Problems& problems,
                   std::vector<std::string>& ignored) {
  std::map<const StoredLayer*, std::set<Role>> used;
  for (const MatchedLayer& m : matched) {
    if (m.stored == nullptr) continue;
    for (const Part& part : m.layer->parts) used[m.stored].insert(part.role);
  }
  for (const StoredLayer& l : file.layers) {
    const bool classifier = used.count(&l) == 0 && l.is_dense();
    for (const StoredTensor& t : l.tensors) {
      if (classifier) {
        ignored.push_back(t.name);
      } else if (used[&l].count(t.role) == 0) {
        problems.add(t.name + ": left over, no tensor of the network");
      }
    }
  }
}

/// From the file's numbers to the model's, after they were found finite and undamaged.
void finish(Job& job) {
  const auto bad = std::find_if(job.raw.begin(), job.raw.end(), [](float x) { return !std::isfinite(x); });
  if (job.checksum && md5(std::as_bytes(std::span(job.raw))) != *job.checksum) {
    job.problem = "differs from its checksum";
  } else if (bad != job.raw.end()) {
    const auto count = std::count_if(bad, job.raw.end(), [](float x) { return !std::isfinite(x); });
    job.problem =
        fmt::format("{} not finite, the first at index {}",
                    count == 1 ? "a value is" : fmt::format("{} values are", count), bad - job.raw.begin());
  } else {
    job.tensor = Tensor(job.wanted->shape);
    from_keras_order(job.raw, job.wanted->shape, job.tensor.as<float>());
  }
  job.raw = {};
}

}  // namespace

FileInfo probe(const std::filesystem::path& path) {
  const hdf5::File file(path);
  const LegacyFile stored = read_layers(file);
  FileInfo info;
  info.path = path;
  info.keras_version = stored.keras_version;
  if (const StoredLayer* top = find_top(stored); top != nullptr && top->is_dense()) {
    info.top_classes = top->find(Role::kernel)->dims->back();
  }
  info.run = find_run_info(file);
  info.network = network_of(stored, info.run);
  if (info.run) {
    info.dialect = info.run->dialect;
    if (info.dialect->preprocess) info.preprocess_source = "the file";
    return info;
  }
  if (!info.network) return info;
  info.dialect = dialect_of(stored, *info.network);
  const auto official = official_file(md5_of_file(path));
  if (info.dialect && official && official->network == *info.network) {
    info.dialect->preprocess = official->preprocess;
    info.preprocess_source = "its hash (an official file)";
  }
  return info;
}

void require_network(const FileInfo& file, std::string_view network) {
  check_network(file.path, file.run, file.network, network);
}

Loaded load(const std::filesystem::path& path, std::string_view network, std::span<const NamedShape> wanted,
            Top top) {
  const hdf5::File file(path);
  const LegacyFile stored = read_layers(file);
  const std::optional<RunInfo> run = find_run_info(file);
  check_network(path, run, network_of(stored, run), network);
  std::vector<Layer> layers = layers_of(wanted);
  if (top == Top::replaced) std::erase_if(layers, [](const Layer& l) { return l.name == kTop; });

  Loaded out;
  Problems problems(path, network);
  const std::vector<MatchedLayer> matched = match_layers(network, layers, stored);
  std::vector<Job> jobs = plan_jobs(stored, matched, wanted, problems, out.tensors);
  sort_out_rest(stored, matched, problems, out.ignored);

  for (Job& job : jobs) {
    job.raw = file.read<float>(job.stored->dataset);
    job.checksum = file.text(job.stored->dataset, kChecksum);
  }
  parallel_for(static_cast<int64_t>(jobs.size()), [&](int64_t i) { finish(jobs[static_cast<size_t>(i)]); });
  for (Job& job : jobs) {
    if (!job.problem.empty())
      problems.add(fmt::format("{}: {}", job.label, job.problem));
    else
      out.tensors.emplace(job.wanted->name, std::move(job.tensor));
  }
  problems.throw_if_any();
  return out;
}

}  // namespace xf::weights
