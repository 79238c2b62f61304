#include "engine/train/predictions_file.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <unordered_set>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/csv.h"

namespace xf {

void write_predictions(const std::filesystem::path& file, const Dataset& data,
                       const std::vector<Prediction>& predictions) {
  std::string text = "id,label,predicted,probability,path\n";
  for (const Prediction& p : predictions) {
    const Sample& s = data.samples[static_cast<size_t>(p.sample)];
    const auto best = static_cast<size_t>(ranking(p.probabilities).front());
    text += io::csv_line(std::array{s.glitch, data.classes[static_cast<size_t>(p.label)], data.classes[best],
                                    fmt::format("{}", p.probabilities[best]),
                                    data.view.kind == View::Kind::all ? s.glitch : s.name});
  }
  io::write_file(file, text);
}

std::vector<NamedPrediction> read_predictions(const std::filesystem::path& file) {
  const io::CsvTable table = io::read_csv(file);
  const size_t id = table.column("id"), path = table.column("path"), label = table.column("label"),
               predicted = table.column("predicted");
  if (table.rows.empty())
    throw DataError(file.string(), "holds no predictions", "restore it, or train again");
  std::unordered_set<std::string_view> paths;
  std::vector<NamedPrediction> predictions;
  for (size_t row = 0; row < table.rows.size(); ++row) {
    const std::vector<std::string>& fields = table.rows[row];
    if (!paths.insert(fields[path]).second)
      throw DataError(table.where(row), fmt::format("{} is listed twice", fields[path]),
                      "restore the file, or train again");
    predictions.push_back({fields[id], fields[path], fields[label], fields[predicted]});
  }
  return predictions;
}

}  // namespace xf
