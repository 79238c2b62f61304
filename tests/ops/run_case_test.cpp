// The op suite finds what it is there to find: a backend whose kernels each break one rule.

#include "tests/ops/run_case.h"

#include <doctest/doctest.h>

#include <cstring>
#include <functional>

#include "engine/core/error.h"

namespace xf::test {
namespace {

using Body = std::function<void(std::span<const Ref> operands, Scratch scratch)>;

class FakeKernel : public Kernel {
 public:
  explicit FakeKernel(Body body) : body_(std::move(body)) {}
  [[nodiscard]] std::string impl() const override { return "fake"; }
  [[nodiscard]] size_t workspace() const override { return 64; }
  [[nodiscard]] bool strided(int /*operand*/) const override { return true; }
  [[nodiscard]] bool in_place(int /*output*/, int /*input*/) const override { return true; }
  void run(Stream& /*stream*/, std::span<const Ref> operands, Scratch scratch) override {
    body_(operands, scratch);
  }

 private:
  Body body_;
};

/// Host memory, and one kernel for every node.
class FakeBackend : public Backend {
 public:
  explicit FakeBackend(Body body) : body_(std::move(body)) {}
  [[nodiscard]] std::string name() const override { return "fake"; }
  std::unique_ptr<Kernel> lower(const Node& /*node*/, Math /*math*/) override {
    return std::make_unique<FakeKernel>(body_);
  }
  void join(Comm& /*comm*/) override {}
  [[nodiscard]] bool supports(DType /*dtype*/, std::string& /*why*/) const override { return true; }
  Buffer reserve(size_t bytes) override {
    auto* p = static_cast<std::byte*>(::operator new (bytes, std::align_val_t{256}));
    std::memset(p, 0, bytes);
    return {{p, [](std::byte* q) { ::operator delete (q, std::align_val_t{256}); }}, bytes};
  }
  [[nodiscard]] size_t available() const override { return size_t{1} << 30; }
  Stream& stream(Lane /*lane*/) override { return stream_; }
  void upload(Stream& /*stream*/, std::byte* device, const std::byte* host, size_t bytes) override {
    std::memcpy(device, host, bytes);
  }
  void download(Stream& /*stream*/, std::byte* host, const std::byte* device, size_t bytes) override {
    std::memcpy(host, device, bytes);
  }

 private:
  struct NoQueue : Stream {
    void synchronize() override {}
  };
  Body body_;
  NoQueue stream_;
};

OpCase relu_case() { return {"3 channels", Act{Activation::relu}, {activation({2, 1, 2, 3})}}; }

/// A correct relu.
void relu(std::span<const Ref> o) {
  for (int64_t r = 0; r < o[0].spec.shape.rows(); ++r)
    for (int64_t c = 0; c < o[0].spec.shape.c; ++c)
      o[1].as<float>()[r * o[1].row_stride + c] = std::max(0.0F, o[0].as<float>()[r * o[0].row_stride + c]);
}

/// What the suite says about relu followed by `also`.
std::string verdict(const Body& also) {
  FakeBackend backend([&](std::span<const Ref> o, Scratch s) {
    relu(o);
    also(o, s);
  });
  DeviceMemory memory(backend);
  const CaseReport report = run_case(memory, relu_case());
  return report.failures.empty() ? "" : report.failures.front();
}

bool says(const std::string& text, const char* what) {
  INFO(text);
  return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("op suite: a right kernel passes") {
  CHECK(verdict([](auto, auto) {}).empty());
}

TEST_CASE("op suite: what a wrong kernel does is found and named") {
  const auto last = [](const Ref& r) { return r.spec.shape.rows() * r.row_stride; };
  CHECK(says(verdict([&](auto o, auto) { o[1].template as<float>()[last(o[1])] = 0; }), "output 0: byte 48"));
  CHECK(says(verdict([&](auto o, auto) { o[1].template as<float>()[-1] = 0; }), "output 0: byte -4"));
  CHECK(says(verdict([&](auto o, auto) { o[0].template as<float>()[last(o[0])] = 0; }), "input 0: byte 48"));
  CHECK(says(verdict([](auto o, auto) { o[0].template as<float>()[2] += 1; }), "input 0: byte"));
  CHECK(says(verdict([](auto, Scratch s) { s.data[s.bytes] = std::byte{1}; }), "scratch: byte 64"));
  CHECK(says(verdict([](auto o, auto) { o[1].template as<float>()[5] += 1e-6F; }), "element 5"));
  CHECK(says(verdict([](auto o, auto) { o[1].template as<float>()[1] = NAN; }), "nan is not in"));
  CHECK(says(verdict([count = std::make_shared<int>()](auto o, auto) {
               if (++*count == 2) o[1].template as<float>()[0] = 0x1p-149F;  // not the first bits
             }),
             "second run"));
}

TEST_CASE("op suite: mistakes that only an arrangement shows") {
  // Ignores the row stride of its input.
  CHECK(says(verdict([](auto o, auto) {
               if (o[0].row_stride > 3) o[1].template as<float>()[3] = o[0].template as<float>()[3];
             }),
             "strided"));
  // Writes between the rows of its output.
  CHECK(says(verdict([](auto o, auto) {
               if (o[1].row_stride > 3) o[1].template as<float>()[3] = 0;
             }),
             "output 0 strided: output 0: byte 12"));
  // Cannot work in place.
  CHECK(says(verdict([](auto o, auto) {
               if (o[0].data == o[1].data) o[1].template as<float>()[0] = -1;
             }),
             "output 0 in input 0"));
}

TEST_CASE("op suite: bf16 results must be rounded to nearest") {
  Array expected({1, 1, 1, 1});
  expected.value = {1 + 0x1p-9 + 0x1p-10};  // between 1 and 1 + 2^-7, nearer to the first
  CHECK(compare(expected, {1}, DType::bf16).empty());
  CHECK_FALSE(compare(expected, {1 + 0x1p-7}, DType::bf16).empty());
  expected.error = {0x1p-9};  // the sum's error may push it over the middle
  CHECK(compare(expected, {1 + 0x1p-7}, DType::bf16).empty());
  CHECK_FALSE(compare(expected, {NAN}, DType::bf16).empty());
}

}  // namespace xf::test
