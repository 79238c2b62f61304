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
    case DType::f16: return static_cast<float>(as(float16{}));
    case DType::i32: return as(int32_t{});
    case DType::u8: return as(uint8_t{});
  }
  return std::numeric_limits<double>::quiet_NaN();
}

void encode(DType dtype, double v, std::byte* p) {
  const auto put = [&](auto x) { std::memcpy(p, &x, sizeof x); };
  switch (dtype) {
    case DType::f32: put(static_cast<float>(v)); break;
    case DType::bf16: put(bfloat16(static_cast<float>(v))); break;
    case DType::f16: put(float16(static_cast<float>(v))); break;
    case DType::i32: put(static_cast<int32_t>(v)); break;
    case DType::u8: put(static_cast<uint8_t>(v)); break;
  }
}

}  // namespace

std::byte* DeviceMemory::take(size_t bytes) {
  constexpr size_t kAlignment = 256, kChunk = size_t{4} << 20;
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  while (chunk_ < chunks_.size() && used_ + rounded > chunks_[chunk_].bytes) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ == chunks_.size()) chunks_.push_back(backend_.reserve(std::max(rounded, kChunk)));
  std::byte* p = chunks_[chunk_].data.get() + used_;
  used_ += rounded;
  return p;
}

Guarded::Guarded(DeviceMemory& memory, Spec spec, int64_t row_stride, int64_t offset)
    : backend_(memory.backend()),
      spec_(spec),
      row_stride_(row_stride),
      origin_(kGuard + static_cast<size_t>(offset) * size_of(spec.dtype)),
      row_bytes_(static_cast<size_t>(spec.shape.c) * size_of(spec.dtype)) {
  before_.assign(2 * kGuard + static_cast<size_t>(spec.shape.rows() * row_stride) * size_of(spec.dtype),
                 kPoison);
  data_ = memory.take(before_.size());
}

Guarded::Guarded(DeviceMemory& memory, size_t bytes)
    : Guarded(memory, {vector_shape(static_cast<int64_t>(bytes)), DType::u8}, static_cast<int64_t>(bytes),
              0) {}

template <class Body>
void Guarded::for_each_row(Body body) const {
  for (int64_t row = 0; row < spec_.shape.rows(); ++row)
    body(origin_ + static_cast<size_t>(row * row_stride_) * size_of(spec_.dtype));
}

void Guarded::upload() {
  Stream& stream = backend_.stream(Lane::compute);
  backend_.upload(stream, data_, before_.data(), before_.size());
  stream.synchronize();
}

std::vector<std::byte> Guarded::download() {
  std::vector<std::byte> now(before_.size());
  Stream& stream = backend_.stream(Lane::compute);
  stream.synchronize();
  backend_.download(stream, now.data(), data_, now.size());
  return now;
}

void Guarded::write(const Array& values) {
  std::fill(before_.begin(), before_.end(), kPoison);
  int64_t i = 0;
  if (values)
    for_each_row([&](size_t row) {
      for (size_t b = 0; b < row_bytes_; b += size_of(spec_.dtype))
        encode(spec_.dtype, values[i++], &before_[row + b]);
    });
  upload();
}

void Guarded::write(const std::vector<std::byte>& bytes) {
  std::fill(before_.begin(), before_.end(), kPoison);
  std::copy(bytes.begin(), bytes.end(), before_.begin() + static_cast<std::ptrdiff_t>(origin_));
  upload();
}

std::vector<double> Guarded::read(DType type) {
  const std::vector<std::byte> bytes = read_bytes();
  std::vector<double> values;
  for (size_t b = 0; b < bytes.size(); b += size_of(type)) values.push_back(decode(type, &bytes[b]));
  return values;
}

std::vector<std::byte> Guarded::read_bytes() {
  const std::vector<std::byte> now = download();
  std::vector<std::byte> bytes;
  for_each_row([&](size_t row) {
    const auto begin = now.begin() + static_cast<std::ptrdiff_t>(row);
    bytes.insert(bytes.end(), begin, begin + static_cast<std::ptrdiff_t>(row_bytes_));
  });
  return bytes;
}

std::string Guarded::first_difference(const std::vector<std::byte>& now, size_t begin, size_t end) const {
  if (std::memcmp(&now[begin], &before_[begin], end - begin) == 0) return {};
  while (now[begin] == before_[begin]) ++begin;
  return fmt::format("byte {} from the first element was overwritten ({} elements of {} bytes)",
                     static_cast<int64_t>(begin) - static_cast<int64_t>(origin_), spec_.shape.count(),
                     size_of(spec_.dtype));
}

std::string Guarded::damage() {
  const std::vector<std::byte> now = download();
  std::string found;
  size_t from = 0;
  for_each_row([&](size_t row) {
    if (found.empty()) found = first_difference(now, from, row);
    from = row + row_bytes_;
  });
  return found.empty() ? first_difference(now, from, now.size()) : found;
}

std::string Guarded::changed() { return first_difference(download(), 0, before_.size()); }

}  // namespace xf::test
