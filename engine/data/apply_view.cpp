#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/data/dataset.h"
#include "engine/data/sources.h"

namespace xf {

namespace {

/// A glitch with its images by duration.
struct Durations {
  std::string_view glitch;
  std::array<const Sample*, kDurations.size()> images{};
  std::string problem;
};

/// In the order of the samples.
std::vector<Durations> by_glitch(const Dataset& data, const std::vector<Duration>& needed) {
  std::vector<Durations> result;
  std::unordered_map<std::string_view, size_t> index;
  for (const Sample& s : data.samples) {
    const auto [it, is_new] = index.emplace(s.glitch, result.size());
    if (is_new) result.push_back({s.glitch, {}, {}});
    Durations& d = result[it->second];
    if (!s.duration) continue;
    const Sample*& place = d.images[static_cast<size_t>(*s.duration)];
    if (place != nullptr && d.problem.empty())
      d.problem = fmt::format("{} has two images of {} s: {} and {}", s.glitch, name(*s.duration),
                              place->name, s.name);
    place = &s;
  }
  for (Durations& d : result)
    for (const Duration wanted : needed)
      if (d.images[static_cast<size_t>(wanted)] == nullptr && d.problem.empty())
        d.problem = fmt::format("{} has no image of {} s", d.glitch, name(wanted));
  return result;
}

std::string stem_of(const Sample& sample) {
  const auto parts = split_duration(sample.name);
  return parts ? parts->stem : sample.name;
}

void add_samples(const Durations& d, const View& view, const std::vector<Duration>& needed,
                 std::vector<Sample>& out) {
  const auto image = [&](Duration duration) -> const Sample& {
    return *d.images[static_cast<size_t>(duration)];
  };
  if (view.kind == View::Kind::single || view.kind == View::Kind::all) {
    for (const Duration duration : needed) {
      out.push_back(image(duration));
      out.back().composition = Composition::single;
    }
    return;
  }
  Sample whole = image(needed[0]);
  whole.images.clear();
  for (const Duration duration : needed) whole.images.push_back(image(duration).images.at(0));
  whole.composition = view.kind == View::Kind::merged ? Composition::merged : Composition::stacked;
  whole.name = stem_of(image(needed[0]));
  whole.duration.reset();
  out.push_back(std::move(whole));
}

void require_all_classes(const Dataset& data, const std::vector<Sample>& viewed) {
  std::vector<size_t> before(data.classes.size()), after(data.classes.size());
  for (const Sample& s : data.samples) ++before[static_cast<size_t>(s.label)];
  for (const Sample& s : viewed) ++after[static_cast<size_t>(s.label)];
  for (size_t c = 0; c < data.classes.size(); ++c)
    if (before[c] > 0 && after[c] == 0)
      throw DataError(data.source.string(),
                      fmt::format("no glitch of class {} has all images of its view", data.classes[c]),
                      "Choose another --view, or remove the class.");
}

/// A network that was trained on one duration also looks at images of which nobody says how long they are.
void take_as(Dataset& data, Duration duration) {
  const auto says = [](const Sample& s) { return s.duration.has_value(); };
  if (std::any_of(data.samples.begin(), data.samples.end(), says)) return;
  log::info("{}: no name says a duration; its images are taken to show {} s", data.source.string(),
            name(duration));
  for (Sample& s : data.samples) s.duration = duration;
}

}  // namespace

void settle_problems(OnBadImage on_bad_image, const std::filesystem::path& source,
                     std::span<const std::string> problems, const std::string& remedy) {
  if (problems.empty()) return;
  if (on_bad_image == OnBadImage::skip) {
    for (const std::string& problem : problems) log::warning("left out: {}", problem);
    return;
  }
  constexpr size_t kShown = 20;
  std::string all;
  for (const std::string& problem : problems.first(std::min(kShown, problems.size())))
    all += (all.empty() ? "" : "; ") + problem;
  if (problems.size() > kShown) all += fmt::format("; and {} more", problems.size() - kShown);
  throw DataError(source.string(), all, remedy);
}

std::vector<std::string> incomplete_glitches(const Dataset& data, const View& view) {
  std::vector<std::string> problems;
  for (const Durations& d : by_glitch(data, view.needed()))
    if (!d.problem.empty()) problems.push_back(d.problem);
  return problems;
}

void apply_view(Dataset& data, const View& view, OnBadImage on_bad_image) {
  data.view = view;
  if (view.kind == View::Kind::plain) return;
  if (view.kind == View::Kind::single) take_as(data, view.durations[0]);
  settle_problems(
      on_bad_image, data.source, incomplete_glitches(data, view),
      fmt::format("Add what is missing, leave such glitches out with --on-bad-image skip, or choose "
                  "another view than {}.",
                  name(view)));
  const std::vector<Duration> needed = view.needed();
  std::vector<Sample> viewed;
  for (const Durations& d : by_glitch(data, needed))
    if (d.problem.empty()) add_samples(d, view, needed, viewed);
  require_all_classes(data, viewed);
  data.samples = std::move(viewed);
}

}  // namespace xf
