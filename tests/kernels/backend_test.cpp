// The CPU backend's memory and what it says it can do.

#include "kernels/cpu/backend.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "engine/core/error.h"

namespace xf {

TEST_CASE("CPU memory is zero-filled, on a huge page's boundary") {
  const auto backend = cpu::make_backend(Determinism::fixed_threads);
  constexpr size_t kBytes = (size_t{5} << 20) + 3;
  const Buffer b = backend->reserve(kBytes);
  CHECK(b.bytes == kBytes);
  CHECK(reinterpret_cast<uintptr_t>(b.data.get()) % (size_t{2} << 20) == 0);
  CHECK(std::all_of(b.data.get(), b.data.get() + kBytes, [](std::byte v) { return v == std::byte{0}; }));
  CHECK_FALSE(backend->reserve(0).data);
}

TEST_CASE("memory that there is not is an error that names the bytes, before anything is touched") {
  const auto backend = cpu::make_backend(Determinism::fixed_threads);
  constexpr size_t kBytes = size_t{1} << 50;
  try {
    (void)backend->reserve(kBytes);
    FAIL("a petabyte was reserved");
  } catch (const MemoryError& e) {
    const std::string text = e.what();
    CHECK(text.find(std::to_string(kBytes) + " bytes") != std::string::npos);
    CHECK(text.find("available") != std::string::npos);
    CHECK(e.remedy().find("--batch") != std::string::npos);
  }
}

TEST_CASE("the CPU backend says why it does not compute in a type") {
  const auto backend = cpu::make_backend(Determinism::fixed_threads);
  std::string why;
  CHECK(backend->supports(DType::f32, why));
  CHECK(why.empty());
  CHECK_FALSE(backend->supports(DType::f16, why));
  CHECK(why == "the CPU computes in f32 and bf16");
}

}  // namespace xf
