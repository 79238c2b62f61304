#include "engine/train/predictions_file.h"

#include <doctest/doctest.h>

#include <array>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/csv.h"
#include "tests/support/temporary_folder.h"

using namespace xf;

namespace {

Dataset two_classes() {
  Dataset data;
  data.classes = {"Blip, \"loud\"", "Whistle"};
  for (const char* name : {"a_0.5", "a_1.0", "b\nc"}) {
    Sample s;
    s.name = std::string(name) + ".png";
    s.glitch = std::string(name).substr(0, 1);
    data.samples.push_back(s);
  }
  return data;
}

const std::vector<Prediction> kThree{
    {0, 0, 0, {0.75F, 0.25F}}, {2, 1, 0, {0.1F, 0.9F}}, {1, 0, 0, {0.5F, 0.5F}}};

}  // namespace

TEST_CASE("predictions come back with any names, in their order") {
  const test::TemporaryFolder folder;
  const auto file = folder / "predictions.csv";
  write_predictions(file, two_classes(), kThree);
  const std::vector<NamedPrediction> read = read_predictions(file);
  REQUIRE(read.size() == 3);
  CHECK(read[0].id == "a");
  CHECK(read[0].path == "a_0.5.png");
  CHECK(read[0].label == "Blip, \"loud\"");
  CHECK(read[0].predicted == read[0].label);
  CHECK(read[1].path == "b\nc.png");
  CHECK(read[1].label == "Whistle");
  CHECK(read[1].predicted == "Whistle");
  CHECK(read[2].predicted == "Blip, \"loud\"");  // as likely as the other: the lower class
  const io::CsvTable table = io::read_csv(file);
  CHECK(table.header == std::vector<std::string>{"id", "label", "predicted", "probability", "path"});
  CHECK(table.rows[0][3] == "0.75");
  CHECK(table.rows[1][3] == "0.9");  // the shortest text that is this float again
}

TEST_CASE("where a prediction is a glitch's, its path is the glitch") {
  const test::TemporaryFolder folder;
  Dataset data = two_classes();
  data.view.kind = View::Kind::all;
  write_predictions(folder / "p.csv", data, {kThree[0], kThree[1]});
  CHECK(read_predictions(folder / "p.csv")[0].path == "a");
}

TEST_CASE("files that hold no predictions") {
  const test::TemporaryFolder folder;
  const auto file = folder / "p.csv";
  CHECK_THROWS_AS(read_predictions(file), MissingInputError);
  for (const auto& [text, names] : {std::array{"id,label,path\na,b,c\n", "predicted"},
                                    std::array{"id,label,predicted,path\n", "no predictions"},
                                    std::array{"id,label,predicted,path\na,b,b,c\nd,b,b,c\n", "p.csv:3"},
                                    std::array{"id,label,predicted,path\na,b,b\n", "p.csv:2"}}) {
    io::write_file(file, text);
    CHECK_THROWS_WITH_AS(read_predictions(file), doctest::Contains(names), DataError);
  }
}
