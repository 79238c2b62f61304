#include "tests/ops/guarded.h"

#include <fmt/format.h>

#include <cstring>

namespace xf::test {
namespace {

constexpr size_t kGuard = 1024;  ///< bytes on either side; a multiple of the alignment that plans promise
constexpr std::byte kPoison{0xff};

double decode(DType dtype, const std::byte* p) {
  const auto as = [&](auto zero) {
    std::memcpy(&zero, p, sizeof zero);
    return zero;
  };
  switch (dtype) {
    case DType::f32: return as(float{});
    case DType::bf16: return static_cast<float>(as(bfloat16{}));
    case DType::i32: return as(int32_t{});
    case DType::u8: return as(uint8_t{});
    case DType::f16: break;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

void encode(DType dtype, double v, std::byte* p) {
  const auto put = [&](auto x) { std::memcpy(p, &x, sizeof x); };
  switch (dtype) {
    case DType::f32: put(static_cast<float>(v)); break;
    case DType::bf16: put(bfloat16(static_cast<float>(v))); break;
    case DType::i32: put(static_cast<int32_t>(v)); break;
    case DType::u8: put(static_cast<uint8_t>(v)); break;
    case DType::f16: break;
  }
}

}  // namespace

Guarded::Guarded(Backend& backend, Spec spec, int64_t row_stride, int64_t offset)
    : backend_(backend),
      spec_(spec),
      row_stride_(row_stride),
      origin_(kGuard + static_cast<size_t>(offset) * size_of(spec.dtype)),
      buffer_(backend.reserve(2 * kGuard +
                              static_cast<size_t>(spec.shape.rows() * row_stride) * size_of(spec.dtype))) {
  before_.assign(buffer_.bytes, kPoison);
}

Guarded::Guarded(Backend& backend, size_t bytes)
    : Guarded(backend, {vector_shape(static_cast<int64_t>(bytes)), DType::u8}, static_cast<int64_t>(bytes),
              0) {}

template <class Body>
void Guarded::for_each_element(const Spec& spec, Body body) const {
  const size_t size = size_of(spec.dtype);
  int64_t number = 0;
  for (int64_t row = 0; row < spec.shape.rows(); ++row)
    for (int64_t c = 0; c < spec.shape.c; ++c)
      body(origin_ + static_cast<size_t>(row * row_stride_ + c) * size, number++);
}

void Guarded::upload() {
  Stream& stream = backend_.stream(Lane::compute);
  backend_.upload(stream, buffer_.data.get(), before_.data(), before_.size());
  stream.synchronize();
}

std::vector<std::byte> Guarded::download() {
  std::vector<std::byte> now(before_.size());
  Stream& stream = backend_.stream(Lane::compute);
  stream.synchronize();
  backend_.download(stream, now.data(), buffer_.data.get(), now.size());
  return now;
}

void Guarded::write(const Array& values) {
  before_.assign(buffer_.bytes, kPoison);
  if (values)
    for_each_element(spec_, [&](size_t at, int64_t i) { encode(spec_.dtype, values[i], &before_[at]); });
  upload();
}

void Guarded::write(const std::vector<std::byte>& bytes) {
  before_.assign(buffer_.bytes, kPoison);
  std::copy(bytes.begin(), bytes.end(), before_.begin() + static_cast<std::ptrdiff_t>(origin_));
  upload();
}

std::vector<double> Guarded::read(Spec spec) {
  const std::vector<std::byte> now = download();
  std::vector<double> values;
  for_each_element(spec, [&](size_t at, int64_t) { values.push_back(decode(spec.dtype, &now[at])); });
  return values;
}

std::vector<std::byte> Guarded::read_bytes(Spec spec) {
  const std::vector<std::byte> now = download();
  std::vector<std::byte> bytes;
  for_each_element(spec, [&](size_t at, int64_t) {
    bytes.insert(bytes.end(), now.begin() + static_cast<std::ptrdiff_t>(at),
                 now.begin() + static_cast<std::ptrdiff_t>(at + size_of(spec.dtype)));
  });
  return bytes;
}

std::string Guarded::damage(Spec spec) {
  const std::vector<std::byte> now = download();
  std::vector<bool> element(now.size());
  for_each_element(spec, [&](size_t at, int64_t) {
    for (size_t b = 0; b < size_of(spec.dtype); ++b) element[at + b] = true;
  });
  for (size_t i = 0; i < now.size(); ++i)
    if (!element[i] && now[i] != before_[i])
      return fmt::format("byte {} from its first element was overwritten ({} bytes an element, {} elements)",
                         static_cast<int64_t>(i) - static_cast<int64_t>(origin_), size_of(spec.dtype),
                         spec.shape.count());
  return {};
}

std::string Guarded::changed() {
  const std::vector<std::byte> now = download();
  for (size_t i = 0; i < now.size(); ++i)
    if (now[i] != before_[i])
      return fmt::format("byte {} from its first element was changed",
                         static_cast<int64_t>(i) - static_cast<int64_t>(origin_));
  return {};
}

Ref Guarded::ref(Spec spec) const { return {data(), spec, spec == spec_ ? row_stride_ : spec.shape.c}; }

}  // namespace xf::test
