#pragma once
// Whether two networks differ in how often they are right, on the same images.

#include <cstdint>
#include <vector>

namespace xf {

/// How many images both got right, one alone, or neither.
struct PairedOutcomes {
  int64_t both = 0, only_first = 0, only_second = 0, neither = 0;
  [[nodiscard]] int64_t images() const { return both + only_first + only_second + neither; }
};

/// McNemar's test (Q. McNemar, Psychometrika 12, 153 (1947)) in its exact form: where the networks are
/// equally good, an image that only one of them gets right is as likely the first's as the second's. The
/// two-sided p is how probable a division at least as uneven as this one then is: twice the binomial
/// distribution's (1/2) tail up to the smaller number, 1 at most; 1 where there is no such image. It takes
/// the images to be independent.
double mcnemar(const PairedOutcomes& outcomes);

/// The p of several tests, each as large as it must be for all of them to hold together (S. Holm,
/// Scandinavian Journal of Statistics 6, 65 (1979)): the chance that even one that is below α is so by
/// accident stays below α. In the order given.
std::vector<double> holm(const std::vector<double>& p);

}  // namespace xf
