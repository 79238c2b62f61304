#pragma once
// The class lists that Gravity Spy has published, by name.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xf {

struct ClassList {
  std::string_view name;  ///< "Gravity Spy O1", "Gravity Spy O3"
  std::vector<std::string_view> classes;
};

/// O1 and O2 (22 classes: Zenodo 1476551), O3 (24: Zenodo 5649212).
std::span<const ClassList> known_class_lists();

/// How a set of classes compares with the list that it resembles most: "Gravity Spy O1", "Gravity Spy O3
/// without Chirp, and with Crown", …; "" where it shares fewer than half of its classes with each.
std::string describe_classes(const std::vector<std::string>& classes);

}  // namespace xf
