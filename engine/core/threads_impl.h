#pragma once
// parallel_for on OpenMP, which oneDNN uses too: one pool of threads for both.

#include <exception>

namespace xf {

template <class Body>
void parallel_for(int64_t count, Body&& body) {
  if (count == 1 || threads() == 1) {
    for (int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  std::exception_ptr error;
#pragma omp parallel for schedule(static) num_threads(threads())
  for (int64_t i = 0; i < count; ++i) {
    try {
      body(i);
    } catch (...) {
#pragma omp critical(xf_parallel_for)
      if (!error) error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace xf
