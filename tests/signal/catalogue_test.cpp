#include "engine/signal/catalogue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "engine/core/error.h"

namespace {

std::map<std::string, int64_t> counts_of(const std::vector<xf::CatalogueEntry>& entries) {
  std::map<std::string, int64_t> counts;
  for (const auto& entry : entries) ++counts[entry.true_label];
  return counts;
}

}  // namespace

TEST_CASE("a catalogue of the public set's size has its numbers of each class") {
  const std::vector<std::string> chosen = {"Blip", "Paired_Doves", "1080Lines"};
  xf::CatalogueOptions options;
  options.classes = chosen;
  options.count = 1822 + 27 + 328;
  const auto counts = counts_of(xf::make_catalogue(options));
  // One glitch each comes before the proportions: that moves a count by less than 1.
  CHECK(std::abs(counts.at("Blip") - 1822) <= 2);
  CHECK(std::abs(counts.at("Paired_Doves") - 27) <= 2);
  CHECK(std::abs(counts.at("1080Lines") - 328) <= 2);
  CHECK(xf::catalogue_classes().size() == 23);
  CHECK(std::is_sorted(xf::catalogue_classes().begin(), xf::catalogue_classes().end()));
}

TEST_CASE("a catalogue has as many entries as asked for, each class among them") {
  for (const int64_t count : {23, 24, 100, 2000}) {
    xf::CatalogueOptions options;
    options.count = count;
    const auto entries = xf::make_catalogue(options);
    CHECK(static_cast<int64_t>(entries.size()) == count);
    CHECK(counts_of(entries).size() == 23);
    std::set<std::string> ids;
    for (const auto& entry : entries) {
      ids.insert(entry.id);
      CHECK(entry.gps >= options.start);
      CHECK(entry.gps < options.start + options.seconds);
    }
    CHECK(ids.size() == entries.size());
  }
}

TEST_CASE("each class is parted for validation and testing") {
  xf::CatalogueOptions options;
  options.classes = {"Blip", "Tomte"};
  options.per_class = 20;
  std::map<std::pair<std::string, xf::SampleType>, int> parts;
  for (const auto& entry : xf::make_catalogue(options)) ++parts[{entry.true_label, entry.type}];
  for (const std::string label : {"Blip", "Tomte"}) {
    CHECK(parts[{label, xf::SampleType::train}] == 14);
    CHECK(parts[{label, xf::SampleType::validation}] == 3);
    CHECK(parts[{label, xf::SampleType::test}] == 3);
  }
}

TEST_CASE("wrong labels are as many as asked for, and never right") {
  xf::CatalogueOptions options;
  options.count = 1000;
  options.wrong_labels = 0.03;
  const auto entries = xf::make_catalogue(options);
  CHECK(std::count_if(entries.begin(), entries.end(),
                      [](const auto& e) { return e.label != e.true_label; }) == 30);
  options.wrong_labels = 0;
  const auto right = xf::make_catalogue(options);
  for (size_t i = 0; i < entries.size(); ++i) {
    CHECK(right[i].label == right[i].true_label);
    CHECK(right[i].id == entries[i].id);
    CHECK(right[i].gps == entries[i].gps);
  }
}

TEST_CASE("a late class begins when it is said to, within its own spacing") {
  xf::CatalogueOptions options;
  options.per_class = 200;
  options.late = {{"Whistle", 0.6}};
  double first = 1e300, first_other = 1e300;
  for (const auto& entry : xf::make_catalogue(options)) {
    double& earliest = entry.true_label == "Whistle" ? first : first_other;
    earliest = std::min(earliest, (entry.gps - options.start) / options.seconds);
  }
  CHECK(first >= 0.6);
  CHECK(first < 0.6 + 0.02);  // of 200 times in 0.4 the first is within 0.02 but for e^-10
  CHECK(first_other < 0.01);
}

TEST_CASE("the same options give the same catalogue, another seed another") {
  xf::CatalogueOptions options;
  options.count = 50;
  const auto one = xf::make_catalogue(options), two = xf::make_catalogue(options);
  options.seed = 1;
  const auto other = xf::make_catalogue(options);
  for (size_t i = 0; i < one.size(); ++i) {
    CHECK(one[i].id == two[i].id);
    CHECK(one[i].gps == two[i].gps);
    CHECK(one[i].id != other[i].id);
  }
}

TEST_CASE("impossible catalogues are refused") {
  const auto refused = [](auto change) {
    xf::CatalogueOptions options;
    change(options);
    CHECK_THROWS_AS((void)xf::make_catalogue(options), xf::UsageError);
  };
  refused([](auto& o) { o.classes = {"Unicorn"}; });
  refused([](auto& o) { o.classes = {"Blip", "Tomte", "Blip"}; });
  refused([](auto& o) { o.count = 22; });
  refused([](auto& o) { o.per_class = 0; });
  refused([](auto& o) { o.wrong_labels = -0.1; });
  refused([](auto& o) { o.wrong_labels = 1; });
  refused([](auto& o) { o.late = {{"Unicorn", 0.5}}; });
  refused([](auto& o) { o.late = {{"Blip", 1}}; });
  refused([](auto& o) {
    o.classes = {"Blip"};
    o.wrong_labels = 0.1;
  });
}
