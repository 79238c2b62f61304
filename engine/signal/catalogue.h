#pragma once
// What a simulated data set holds: how many glitches of which class at which times, and which labels are
// wrong.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xf {

/// A class of which there is none in the first `fraction` of the run.
struct LateClass {
  std::string name;
  double fraction = 0;
};

struct CatalogueOptions {
  std::vector<std::string> classes;  ///< of catalogue_classes(); empty: all
  int64_t count = 2000;              ///< of all classes, in the proportions of the public training set v1.1
  std::optional<int64_t> per_class;  ///< instead of `count`
  uint64_t seed = 0;
  double start = 1126051217;  ///< GPS time: the begin of Advanced LIGO's first observing run
  double seconds = 11203200;  ///< and its length
  double wrong_labels = 0;    ///< fraction of all glitches
  std::vector<LateClass> late;
};

enum class SampleType : uint8_t { train, validation, test };
std::string_view name(SampleType type);

struct CatalogueEntry {
  std::string id;                 ///< ten letters and digits
  std::string label, true_label;  ///< what the data set says, and what it is
  uint64_t index = 0;             ///< among the glitches of the true label
  SampleType type = SampleType::train;
  std::string detector;  ///< H1 or L1
  double gps = 0;        ///< whole microseconds
};

/// Gravity Spy's 22 classes and Reverse_Chirp, in the order of their names.
std::span<const std::string_view> catalogue_classes();

/// The entries, class by class. Each class has one glitch at least; of each, 15 % are for validation and 15 %
/// for testing, rounded. Wrong labels are exactly the rounded fraction of all, each drawn from the other
/// classes. The same options give the same entries. Throws UsageError for classes that are not known or
/// listed twice, counts that do not suffice, and fractions outside their range.
std::vector<CatalogueEntry> make_catalogue(const CatalogueOptions& options);

}  // namespace xf
