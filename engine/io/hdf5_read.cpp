#include <fmt/format.h>
#include <hdf5.h>

#include <type_traits>
#include <utility>

#include "engine/core/error.h"
#include "engine/io/hdf5_file.h"

namespace xf::hdf5 {
namespace {

template <class T>
hid_t memory_type() {
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, uint8_t>) return H5T_NATIVE_UINT8;
}

}  // namespace

std::vector<int64_t> File::dims(const std::string& dataset) const {
  const Session session;
  const Handle data = impl_->open_dataset(dataset);
  const Handle space(H5Dget_space(data.id()), H5Sclose);
  auto dims = extents(space.id());
  if (!dims) impl_->fail(dataset, "has impossible dimensions");
  return *std::move(dims);
}

Kind File::kind(const std::string& dataset) const {
  const Session session;
  const Handle data = impl_->open_dataset(dataset);
  return kind_of(Handle(H5Dget_type(data.id()), H5Tclose).id());
}

std::string File::element_type(const std::string& dataset) const {
  const Session session;
  const Handle data = impl_->open_dataset(dataset);
  const Handle type(H5Dget_type(data.id()), H5Tclose);
  const size_t bits = 8 * H5Tget_size(type.id());
  switch (kind_of(type.id())) {
    case Kind::floating: return fmt::format("f{}", bits);
    case Kind::integer: return fmt::format("{}{}", H5Tget_sign(type.id()) == H5T_SGN_NONE ? "u" : "i", bits);
    case Kind::string: return "text";
    case Kind::other: break;
  }
  return "other";
}

void File::require_stored(const std::string& dataset) const {
  const Session session;
  const Handle data = impl_->open_dataset(dataset);
  const int64_t count = product(dims(dataset));
  require_possible(*impl_, dataset, count, Handle(H5Dget_type(data.id()), H5Tclose).id());
  if (count > 0 && H5Dget_storage_size(data.id()) == 0) {
    impl_->fail(dataset, fmt::format("claims {} elements and holds none", count));
  }
}

template <class T>
std::vector<T> File::read(const std::string& dataset) const {
  const Session session;
  const std::vector<int64_t> dims = this->dims(dataset);
  const Handle data = impl_->open_dataset(dataset);
  require_possible(*impl_, dataset, product(dims), Handle(H5Dget_type(data.id()), H5Tclose).id());
  std::vector<T> out(static_cast<size_t>(product(dims)));
  read_rows<T>(dataset, 0, dims.empty() ? 1 : dims[0], out);
  return out;
}

template <class T>
void File::read_rows(const std::string& dataset, int64_t first, int64_t count, std::span<T> out) const {
  const Session session;
  const Kind holds = kind(dataset);
  if (holds == Kind::string || holds == Kind::other) impl_->fail(dataset, "does not hold numbers");
  if (holds == Kind::floating && std::is_integral_v<T>) impl_->fail(dataset, "does not hold integers");
  std::vector<int64_t> dims = this->dims(dataset);
  const bool scalar = dims.empty();
  if (scalar) dims = {1};
  if (first < 0 || count < 0 || first > dims[0] - count) {
    impl_->fail(dataset,
                fmt::format("has {} rows; rows {} to {} were asked for", dims[0], first, first + count));
  }
  const int64_t all = dims[0];
  dims[0] = count;
  if (static_cast<int64_t>(out.size()) != product(dims)) {
    throw InternalError(dataset, fmt::format("{} elements read into {}", product(dims), out.size()));
  }
  if (out.empty()) return;
  const Handle data = impl_->open_dataset(dataset);
  const Handle file_space(H5Dget_space(data.id()), H5Sclose);
  Handle memory_space;
  if (!scalar && count < all) {
    const std::vector<hsize_t> extent(dims.begin(), dims.end());
    std::vector<hsize_t> start(dims.size(), 0);
    start[0] = static_cast<hsize_t>(first);
    H5Sselect_hyperslab(file_space.id(), H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr);
    memory_space =
        Handle(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr), H5Sclose);
  }
  const hid_t memory = memory_space.ok() ? memory_space.id() : H5S_ALL;
  const hid_t selection = memory_space.ok() ? file_space.id() : H5S_ALL;
  if (H5Dread(data.id(), memory_type<T>(), memory, selection, H5P_DEFAULT, out.data()) < 0) {
    impl_->fail(dataset, "cannot be read: " + last_failure());
  }
}

template std::vector<float> File::read(const std::string&) const;
template std::vector<double> File::read(const std::string&) const;
template std::vector<int64_t> File::read(const std::string&) const;
template std::vector<uint8_t> File::read(const std::string&) const;
template void File::read_rows(const std::string&, int64_t, int64_t, std::span<float>) const;
template void File::read_rows(const std::string&, int64_t, int64_t, std::span<double>) const;
template void File::read_rows(const std::string&, int64_t, int64_t, std::span<int64_t>) const;
template void File::read_rows(const std::string&, int64_t, int64_t, std::span<uint8_t>) const;

std::vector<std::string> File::read_strings(const std::string& dataset) const {
  const Session session;
  const Handle data = impl_->open_dataset(dataset);
  const Handle type(H5Dget_type(data.id()), H5Tclose), space(H5Dget_space(data.id()), H5Sclose);
  if (kind_of(type.id()) != Kind::string) impl_->fail(dataset, "does not hold text");
  const int64_t count = product(dims(dataset));
  require_possible(*impl_, dataset, count, type.id());
  const auto transfer = [&](void* to) {
    return H5Dread(data.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, to) >= 0;
  };
  std::vector<std::string> out;
  if (!append_strings(type.id(), space.id(), count, transfer, out)) {
    impl_->fail(dataset, "cannot be read: " + last_failure());
  }
  return out;
}

}  // namespace xf::hdf5
