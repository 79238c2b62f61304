#include <hdf5.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <numeric>
#include <type_traits>
#include <utility>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/hdf5.h"
#include "engine/io/hdf5_driver.h"
#include "engine/io/hdf5_library.h"

namespace xf::hdf5 {
namespace fs = std::filesystem;

struct Writer::Impl {
  io::AtomicFile whole;
  std::unique_ptr<int> error = std::make_unique<int>(0);  // errno of the first failed write
  Handle file;

  explicit Impl(const fs::path& target) : whole(target) {}

  [[noreturn]] void fail() const {
    if (*error != 0) throw io::write_failure(whole.target(), *error);
    throw WriteError(whole.target().string(), "cannot be written: " + last_failure());
  }
  void check(int64_t result) const {
    if (result < 0 || *error != 0) fail();
  }
  [[nodiscard]] Handle own(int64_t id, Handle::Close close) const {
    check(id);
    return {id, close};
  }
  [[nodiscard]] Handle intermediate_groups() const {
    Handle links = own(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    check(H5Pset_create_intermediate_group(links.id(), 1));
    return links;
  }
  [[nodiscard]] Handle create_dataset(const std::string& path, hid_t type, hid_t space) const {
    const Handle links = intermediate_groups();
    const Handle creation = own(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    check(H5Pset_obj_track_times(creation.id(), false));  // the same content gives the same bytes
    return own(H5Dcreate2(file.id(), path.c_str(), type, space, links.id(), creation.id(), H5P_DEFAULT),
               H5Dclose);
  }
  void write_attribute(const std::string& object, const std::string& name, hid_t type, hid_t space,
                       const void* data) const {
    const Handle attribute = own(H5Acreate_by_name(file.id(), object.c_str(), name.c_str(), type, space,
                                                   H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                                 H5Aclose);
    if (data != nullptr) check(H5Awrite(attribute.id(), type, data));
  }
  void write_texts(const std::string& object, const std::string& name, std::span<const std::string> texts,
                   size_t width) const;
};

namespace {

template <class T>
std::pair<hid_t, hid_t> types() {
  if constexpr (std::is_same_v<T, float>) return {H5T_IEEE_F32LE, H5T_NATIVE_FLOAT};
  if constexpr (std::is_same_v<T, double>) return {H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE};
  if constexpr (std::is_same_v<T, int32_t>) return {H5T_STD_I32LE, H5T_NATIVE_INT32};
  if constexpr (std::is_same_v<T, int64_t>) return {H5T_STD_I64LE, H5T_NATIVE_INT64};
  if constexpr (std::is_same_v<T, uint8_t>) return {H5T_STD_U8LE, H5T_NATIVE_UINT8};
}

Handle simple_space(std::span<const int64_t> dims) {
  const std::vector<hsize_t> extent(dims.begin(), dims.end());
  return {H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr), H5Sclose};
}

size_t widest(std::span<const std::string> texts) {
  size_t width = 1;  // the library has no string type of size 0
  for (const std::string& t : texts) width = std::max(width, t.size());
  return width;
}

}  // namespace

void Writer::Impl::write_texts(const std::string& object, const std::string& name,
                               std::span<const std::string> texts, size_t width) const {
  const Handle type = own(H5Tcopy(H5T_C_S1), H5Tclose);
  check(H5Tset_size(type.id(), width));
  check(H5Tset_strpad(type.id(), H5T_STR_NULLPAD));
  std::vector<char> raw(texts.size() * width, '\0');
  for (size_t i = 0; i < texts.size(); ++i) std::memcpy(&raw[i * width], texts[i].data(), texts[i].size());
  const int64_t count = static_cast<int64_t>(texts.size());
  const Handle space = simple_space({&count, 1});
  write_attribute(object, name, type.id(), space.id(), raw.data());
}

Writer::Writer(const fs::path& target) {
  const Session session;
  impl_ = std::make_unique<Impl>(target);
  const Handle access = remembering_access(impl_->error.get());
  impl_->file = impl_->own(
      H5Fcreate(impl_->whole.temporary().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()), H5Fclose);
}

Writer::Writer(Writer&&) noexcept = default;

Writer& Writer::operator=(Writer&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

Writer::~Writer() {
  const Session session;
  impl_.reset();
}

void Writer::group(const std::string& path) {
  const Session session;
  const Handle links = impl_->intermediate_groups();
  const Handle there(H5Gopen2(impl_->file.id(), path.c_str(), H5P_DEFAULT), H5Gclose);
  if (there.ok()) return;
  const hid_t made = H5Gcreate2(impl_->file.id(), path.c_str(), links.id(), H5P_DEFAULT, H5P_DEFAULT);
  impl_->check(Handle(made, H5Gclose).id());
}

template <class T>
void Writer::dataset(const std::string& path, std::span<const int64_t> dims, std::span<const T> data) {
  const Session session;
  const int64_t count = std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());
  if (count != static_cast<int64_t>(data.size())) {
    throw InternalError(path, "its dimensions and its data differ in size");
  }
  const auto [stored, native] = types<T>();
  const Handle space = simple_space(dims);
  const Handle set = impl_->create_dataset(path, stored, space.id());
  if (!data.empty()) impl_->check(H5Dwrite(set.id(), native, H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()));
}

template void Writer::dataset(const std::string&, std::span<const int64_t>, std::span<const float>);
template void Writer::dataset(const std::string&, std::span<const int64_t>, std::span<const double>);
template void Writer::dataset(const std::string&, std::span<const int64_t>, std::span<const int32_t>);
template void Writer::dataset(const std::string&, std::span<const int64_t>, std::span<const int64_t>);
template void Writer::dataset(const std::string&, std::span<const int64_t>, std::span<const uint8_t>);

void Writer::dataset(const std::string& path, std::span<const std::string> data) {
  const Session session;
  const Handle type = impl_->own(H5Tcopy(H5T_C_S1), H5Tclose);
  impl_->check(H5Tset_size(type.id(), H5T_VARIABLE));
  impl_->check(H5Tset_cset(type.id(), H5T_CSET_UTF8));
  const int64_t count = static_cast<int64_t>(data.size());
  const Handle space = simple_space({&count, 1});
  const Handle set = impl_->create_dataset(path, type.id(), space.id());
  std::vector<const char*> texts;
  for (const std::string& t : data) texts.push_back(t.c_str());
  if (texts.empty()) return;
  impl_->check(H5Dwrite(set.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()));
}

void Writer::attribute(const std::string& object, const std::string& name, std::string_view text) {
  const Session session;
  const Handle type = impl_->own(H5Tcopy(H5T_C_S1), H5Tclose);
  impl_->check(H5Tset_size(type.id(), std::max<size_t>(1, text.size())));
  impl_->check(H5Tset_strpad(type.id(), H5T_STR_NULLPAD));
  const Handle space = impl_->own(H5Screate(H5S_SCALAR), H5Sclose);
  impl_->write_attribute(object, name, type.id(), space.id(), text.empty() ? "" : text.data());
}

void Writer::attribute(const std::string& object, const std::string& name,
                       std::span<const std::string> texts) {
  const Session session;
  if (texts.empty()) {  // as Keras: an empty array is float64[0]
    const int64_t none = 0;
    impl_->write_attribute(object, name, H5T_IEEE_F64LE, simple_space({&none, 1}).id(), nullptr);
    return;
  }
  const size_t width = widest(texts);
  if (texts.size() * width <= kAttributeLimit) return impl_->write_texts(object, name, texts, width);
  const size_t rows = std::max<size_t>(1, kAttributeLimit / width);
  for (size_t first = 0, part = 0; first < texts.size(); first += rows, ++part) {
    const auto some = texts.subspan(first, std::min(rows, texts.size() - first));
    impl_->write_texts(object, name + std::to_string(part), some, width);
  }
}

void Writer::attribute(const std::string& object, const std::string& name, double number) {
  const Session session;
  const Handle space = impl_->own(H5Screate(H5S_SCALAR), H5Sclose);
  impl_->write_attribute(object, name, H5T_NATIVE_DOUBLE, space.id(), &number);
}

void Writer::commit() {
  const Session session;
  const bool closed = impl_->file.close();
  impl_->check(closed ? 0 : -1);
  impl_->whole.commit();
}

}  // namespace xf::hdf5
