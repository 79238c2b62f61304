#include "tools/xferrun/seeds.h"

#include <fmt/format.h>

namespace xf::tool {

namespace {

template <class Figure>
MeanOfRuns mean_of(const std::vector<SeedResult>& results, const Figure& figure) {
  std::vector<double> values;
  values.reserve(results.size());
  for (const SeedResult& r : results) values.push_back(figure(r.evaluation));
  return mean_of_runs(values);
}

MeanOfRuns mean_f1(const std::vector<SeedResult>& results) {
  return mean_of(results, [](const Evaluation& e) { return e.macro_f1; });
}

MeanOfRuns mean_ece(const std::vector<SeedResult>& results) {
  return mean_of(results, [](const Evaluation& e) { return e.ece; });
}

}  // namespace

MeanOfRuns mean_top(const std::vector<SeedResult>& results, size_t k) {
  return mean_of(results, [k](const Evaluation& e) { return e.top.at(k - 1); });
}

nlohmann::json summary(const std::vector<SeedResult>& results) {
  nlohmann::json j{{"images", results.front().evaluation.images}, {"seeds", nlohmann::json::array()}};
  const auto add = [&](const std::string& name, const MeanOfRuns& m) {
    j[name] = m.mean;
    j[name + "_interval"] = {m.low, m.high};
    j[name + "_deviation"] = m.deviation;
  };
  for (size_t k = 1; k <= 5; ++k) add(fmt::format("top{}", k), mean_top(results, k));
  add("macro_f1", mean_f1(results));
  add("ece", mean_ece(results));
  for (const SeedResult& r : results)
    j["seeds"].push_back({{"seed", r.seed},
                          {"best_epoch", r.best_epoch},
                          {"top1", r.evaluation.top[0]},
                          {"macro_f1", r.evaluation.macro_f1},
                          {"ece", r.evaluation.ece}});
  return j;
}

std::string to_table(const std::vector<SeedResult>& results) {
  std::string text =
      fmt::format("{:>6} {:>10} {:>10} {:>10} {:>8}\n", "seed", "best epoch", "top-1, %", "macro-F1", "ECE");
  for (const SeedResult& r : results)
    text += fmt::format("{:>6} {:>10} {:>10.2f} {:>10.4f} {:>8.4f}\n", r.seed, r.best_epoch,
                        100 * r.evaluation.top[0], r.evaluation.macro_f1, r.evaluation.ece);
  const MeanOfRuns top1 = mean_top(results, 1), f1 = mean_f1(results), ece = mean_ece(results);
  return text +
         fmt::format("{:>6} {:>10} {:>10.2f} {:>10.4f} {:>8.4f}\n", "mean", "", 100 * top1.mean, f1.mean,
                     ece.mean) +
         fmt::format(
             "95 % interval of the mean: top-1 {:.2f} to {:.2f} %, macro-F1 {:.4f} to {:.4f}, ECE {:.4f} to "
             "{:.4f}\n",
             100 * top1.low, 100 * top1.high, f1.low, f1.high, ece.low, ece.high);
}

}  // namespace xf::tool
