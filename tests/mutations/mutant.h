#pragma once
// What run.py writes into a copy of the CUDA backend's sources. All mutants are compiled together; each does
// what the source said until the environment asks for its number.

#include <array>
#include <cstdlib>
#include <fstream>
#include <functional>

namespace xf::mutants {

/// XFERRUN_MUTANT: the mutant that lives; 0 or nothing: none.
inline const int alive =
    std::getenv("XFERRUN_MUTANT") == nullptr ? 0 : std::atoi(std::getenv("XFERRUN_MUTANT"));

/// Which mutants' places the program came by. Written to the file that XFERRUN_REACHED names, a number a
/// line.
struct Reached {
  std::array<bool, 4096> at{};
  ~Reached() {
    if (std::getenv("XFERRUN_REACHED") == nullptr) return;
    std::ofstream file(std::getenv("XFERRUN_REACHED"));
    for (size_t i = 0; i < at.size(); ++i)
      if (at[i]) file << i << '\n';
  }
};
inline Reached reached;

inline bool reach(int number) {
  reached.at[static_cast<size_t>(number)] = true;
  return number == alive;
}

/// Whether mutant `number` lives. While the compiler evaluates it: no.
constexpr bool lives(int number) { return __builtin_is_constant_evaluated() ? false : reach(number); }

/// A comparison that a mutant moves by one, as an operator: `a <less{7}> b` is `a < b`, and `a <= b` as
/// mutant 7.
template <class Original, class Mutant>
struct Comparison {
  int number;
};
using less = Comparison<std::less<>, std::less_equal<>>;
using less_equal = Comparison<std::less_equal<>, std::less<>>;
using greater = Comparison<std::greater<>, std::greater_equal<>>;
using greater_equal = Comparison<std::greater_equal<>, std::greater<>>;

template <class A, class Original, class Mutant>
struct Left {
  const A& a;
  int number;
};
template <class A, class Original, class Mutant>
constexpr Left<A, Original, Mutant> operator<(const A& a, Comparison<Original, Mutant> c) {
  return {a, c.number};
}
template <class A, class Original, class Mutant, class B>
constexpr bool operator>(const Left<A, Original, Mutant>& left, const B& b) {
  return lives(left.number) ? Mutant{}(left.a, b) : Original{}(left.a, b);
}

}  // namespace xf::mutants
