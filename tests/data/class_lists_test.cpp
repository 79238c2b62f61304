#include "engine/data/class_lists.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace xf;

TEST_CASE("the class lists of Gravity Spy by name") {
  REQUIRE(known_class_lists().size() == 2);
  const auto names = [](const ClassList& list) {
    return std::vector<std::string>(list.classes.begin(), list.classes.end());
  };
  const std::vector<std::string> o1 = names(known_class_lists()[0]), o3 = names(known_class_lists()[1]);
  CHECK(o1.size() == 22);
  CHECK(o3.size() == 24);
  CHECK(std::is_sorted(o1.begin(), o1.end()));
  CHECK(std::is_sorted(o3.begin(), o3.end()));
  CHECK(describe_classes(o1) == "Gravity Spy O1");
  CHECK(describe_classes(o3) == "Gravity Spy O3");

  std::vector<std::string> other = o3;
  std::erase(other, "Chirp");
  CHECK(describe_classes(other) == "Gravity Spy O3 without Chirp");
  other.emplace_back("Crown");
  CHECK(describe_classes(other) == "Gravity Spy O3 without Chirp, and with Crown");
  CHECK(describe_classes({"Fast_Scattering", "Koi_Fish", "Scattered_Light"}) ==
        "Gravity Spy O3 (3 of its 24 classes)");
  CHECK(describe_classes({"cat", "dog", "Blip"}).empty());
  CHECK(describe_classes({}).empty());
}
