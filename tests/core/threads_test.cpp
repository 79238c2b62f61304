#include "engine/core/threads.h"

#include <doctest/doctest.h>
#include <omp.h>

#include <thread>

#include "engine/core/error.h"

TEST_CASE("a caller's number of threads is its own, and OpenMP's is put back") {
  const int before = xf::threads(), openmp_before = omp_get_max_threads();
  {
    const xf::ThreadsOfCaller three(3);
    CHECK(xf::threads() == 3);
    CHECK(omp_get_max_threads() == 3);
    int elsewhere = 0;
    std::thread([&] { elsewhere = xf::threads(); }).join();
    CHECK(elsewhere == before);
    {
      const xf::ThreadsOfCaller every(0);
      CHECK(xf::threads() == xf::usable_cores());
    }
    CHECK(xf::threads() == 3);
  }
  CHECK(xf::threads() == before);
  CHECK(omp_get_max_threads() == openmp_before);
  CHECK_THROWS_AS(xf::ThreadsOfCaller(-1), xf::UsageError);
}
