#include "weights/import.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "models/registry.h"
#include "weights/match.h"
#include "weights/model_tensors.h"
#include "weights/read_tensor.h"
#include "weights/recognise.h"

namespace xf::weights {
namespace {

/// A tensor to be read, and where it goes.
struct Job {
  TensorSource source;
  const NamedShape* wanted;
  std::string label;  ///< both names, for errors
};

bool any_has_gamma(const std::vector<MatchedLayer>& matched) {
  return std::any_of(matched.begin(), matched.end(), [](const MatchedLayer& m) {
    return m.stored != nullptr && m.stored->find(Role::gamma) != nullptr;
  });
}

std::string text_of(const std::vector<int64_t>& dims) {
  return dims.empty() ? "a single number" : fmt::format("{}", fmt::join(dims, "x"));
}

/// What keeps a stored tensor from being read as `dims` of f32; empty where nothing does.
std::string objection(const StoredTensor* tensor, const std::vector<int64_t>& dims) {
  if (tensor == nullptr || !tensor->dims) return "missing";
  if (*tensor->dims != dims) return fmt::format("is {}, should be {}", text_of(*tensor->dims), text_of(dims));
  if (tensor->type != "f32") return fmt::format("is {}, should be f32", tensor->type);
  return {};
}

/// What divides a tensor; nullptr for one that nothing does.
const StoredTensor* divisor(const StoredLayer& layer, Role role) {
  return role == Role::mean || role == Role::variance ? layer.find(Role::factor) : nullptr;
}

/// The tensors to be read, in the model's order; what does not fit goes to the problems.
std::vector<Job> plan_jobs(const Listing& file, const std::vector<MatchedLayer>& matched,
                           std::span<const NamedShape> wanted, Reading& out) {
  const bool has_gamma = any_has_gamma(matched), first = outputs_first(file.format);
  std::vector<Job> jobs;
  for (const MatchedLayer& m : matched) {
    for (const Part& part : m.layer->parts) {
      const NamedShape& want = wanted[part.index];
      if (part.role == Role::gamma && !has_gamma) {
        Tensor ones(want.shape);
        std::fill(ones.as<float>().begin(), ones.as<float>().end(), 1.0F);
        out.loaded.tensors.emplace(want.name, std::move(ones));
        continue;
      }
      const StoredTensor* tensor = m.stored == nullptr ? nullptr : m.stored->find(part.role);
      const std::string name =
          tensor != nullptr ? tensor->name : fmt::format("{}/{}", m.expected, keras_name(part.role));
      const std::string label = fmt::format("{} ({})", name, want.name);
      const std::string problem = objection(tensor, first ? outputs_first_dims(want, m.layer->kind, part.role)
                                                          : keras_dims(want, m.layer->kind, part.role));
      if (!problem.empty()) {
        out.problems.push_back({want.name, fmt::format("{}: {}", label, problem)});
        continue;
      }
      const StorageOrder order = part.role != Role::kernel ? StorageOrder::as_is
                                 : first                   ? StorageOrder::oihw
                                                           : StorageOrder::hwio;
      jobs.push_back({{tensor, order, divisor(*m.stored, part.role)}, &want, label});
    }
  }
  return jobs;
}

/// Tensors of the file that nothing asked for: those of a classifier are ignored, any other is a problem.
void sort_out_rest(const Listing& file, const std::vector<MatchedLayer>& matched, Reading& out) {
  std::map<const StoredLayer*, std::set<Role>> used;
  for (const MatchedLayer& m : matched) {
    if (m.stored == nullptr) continue;
    for (const Part& part : m.layer->parts) used[m.stored].insert(part.role);
    if (used[m.stored].count(Role::variance) != 0) used[m.stored].insert(Role::factor);
  }
  for (const StoredLayer& l : file.layers) {
    const bool classifier = used.count(&l) == 0 && l.is_dense();
    for (const StoredTensor& t : l.tensors) {
      if (classifier) {
        out.loaded.ignored.push_back(t.name);
      } else if (used[&l].count(t.role) == 0) {
        out.problems.push_back({{}, t.name + ": left over, no tensor of the network"});
      }
    }
  }
}

void check_network(const std::filesystem::path& path, const Listing& listing,
                   const std::optional<RunInfo>& run, std::string_view network) {
  std::optional<std::string> found;
  if (run) {
    found = run->network;
  } else if (const auto recognised = recognise(listing)) {
    found = recognised->network;
  } else {
    found = recognise_stranger(listing);
  }
  require_network(path, found, network);
}

}  // namespace

Reading try_load(const std::filesystem::path& path, std::string_view network,
                 std::span<const NamedShape> wanted, Top top) {
  const hdf5::File file(path);
  const Listing listing = read_listing(file);
  check_network(path, listing, find_run_info(file), network);
  const std::string_view last = find_model(network).top;
  std::vector<Layer> layers = layers_of(wanted);
  if (top == Top::replaced) std::erase_if(layers, [&](const Layer& l) { return l.name == last; });

  Reading out;
  const std::vector<MatchedLayer> matched =
      match_layers(network, layers, last, listing, recognise_spelling(listing, network));
  const std::vector<Job> jobs = plan_jobs(listing, matched, wanted, out);
  sort_out_rest(listing, matched, out);
  TensorReader reader(file);
  for (const Job& job : jobs) {
    Tensor tensor(job.wanted->shape);
    const std::string problem = reader.read(job.source, tensor);
    if (problem.empty()) {
      out.loaded.tensors.emplace(job.wanted->name, std::move(tensor));
    } else {
      out.problems.push_back({job.wanted->name, fmt::format("{}: {}", job.label, problem)});
    }
  }
  if (!listing.skipped.empty()) {
    log::info("{}: {} tensors that this network has no use for are left out: {}{}", path.string(),
              listing.skipped.size(), listing.skipped.front(), listing.skipped.size() > 1 ? ", …" : "");
  }
  return out;
}

Loaded load(const std::filesystem::path& path, std::string_view network, std::span<const NamedShape> wanted,
            Top top) {
  Reading reading = try_load(path, network, wanted, top);
  if (reading.problems.empty()) return std::move(reading.loaded);
  constexpr size_t kShown = 20;
  const size_t count = reading.problems.size(), shown = std::min(kShown, count);
  std::string list;
  for (size_t i = 0; i < shown; ++i) list += "\n  " + reading.problems[i].text;
  if (shown < count) list += fmt::format("\n  and {} more", count - shown);
  throw DataError(path.string(),
                  fmt::format("{} of its tensors cannot be used for {}:{}", count, network, list),
                  "Check that the file is whole and holds this network.");
}

std::vector<NamedShape> tensors_of(const FileInfo& file) {
  if (!file.network) {
    throw DataError(file.path.string(), "holds the layers of no network that is known here",
                    "Name weights of one of the networks that --model takes.");
  }
  if (!file.dialect) {
    throw DataError(file.path.string(), fmt::format("holds {}, which is not known here", *file.network),
                    "Name weights of one of the networks that --model takes.");
  }
  return model_tensors(*file.network, *file.dialect, static_cast<int>(file.top_classes.value_or(0)));
}

}  // namespace xf::weights
