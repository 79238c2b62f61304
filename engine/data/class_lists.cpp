#include "engine/data/class_lists.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

namespace xf {

namespace {

constexpr std::array<std::string_view, 22> kO1{"1080Lines",
                                               "1400Ripples",
                                               "Air_Compressor",
                                               "Blip",
                                               "Chirp",
                                               "Extremely_Loud",
                                               "Helix",
                                               "Koi_Fish",
                                               "Light_Modulation",
                                               "Low_Frequency_Burst",
                                               "Low_Frequency_Lines",
                                               "No_Glitch",
                                               "None_of_the_Above",
                                               "Paired_Doves",
                                               "Power_Line",
                                               "Repeating_Blips",
                                               "Scattered_Light",
                                               "Scratchy",
                                               "Tomte",
                                               "Violin_Mode",
                                               "Wandering_Line",
                                               "Whistle"};

std::vector<std::string_view> with(std::vector<std::string_view> classes,
                                   std::initializer_list<std::string_view> more) {
  classes.insert(classes.end(), more);
  std::sort(classes.begin(), classes.end());
  return classes;
}

/// Those of `a` that are not in `b`.
template <class A, class B>
std::vector<std::string_view> missing(const A& a, const B& b) {
  std::vector<std::string_view> result;
  for (const std::string_view c : a)
    if (std::find(b.begin(), b.end(), c) == b.end()) result.push_back(c);
  return result;
}

}  // namespace

std::span<const ClassList> known_class_lists() {
  static const std::vector<std::string_view> o1(kO1.begin(), kO1.end());
  static const std::array<ClassList, 2> lists{
      {{"Gravity Spy O1", o1}, {"Gravity Spy O3", with(o1, {"Blip_Low_Frequency", "Fast_Scattering"})}}};
  return lists;
}

std::string describe_classes(const std::vector<std::string>& classes) {
  std::string best;
  std::pair fewest{classes.size() / 2 + 1,
                   size_t{0}};  // classes that are not in the list, and those it has besides
  for (const ClassList& list : known_class_lists()) {
    const auto without = missing(list.classes, classes), more = missing(classes, list.classes);
    const std::pair differ{more.size(), without.size()};
    if (classes.empty() || differ >= fewest) continue;
    fewest = differ;
    best = list.name;
    const size_t all = list.classes.size();
    if (2 * without.size() > all)
      best += fmt::format(" ({} of its {} classes)", all - without.size(), all);
    else if (!without.empty())
      best += fmt::format(" without {}", fmt::join(without, ", "));
    if (!more.empty())
      best += fmt::format("{} with {}", without.empty() ? "" : ", and", fmt::join(more, ", "));
  }
  return best;
}

}  // namespace xf
