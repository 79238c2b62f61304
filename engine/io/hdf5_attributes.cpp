#include <fmt/format.h>
#include <hdf5.h>

#include <utility>

#include "engine/io/hdf5_file.h"

namespace xf::hdf5 {

bool File::has_attribute(const std::string& object, const std::string& name) const {
  const Session session;
  const hid_t file = impl_->file.id();
  return H5Aexists_by_name(file, object.c_str(), name.c_str(), H5P_DEFAULT) > 0 ||
         H5Aexists_by_name(file, object.c_str(), (name + "0").c_str(), H5P_DEFAULT) > 0;
}

std::vector<std::string> File::strings(const std::string& object, const std::string& name) const {
  const Session session;
  const hid_t file = impl_->file.id();
  std::vector<std::string> out;
  const auto append = [&](const std::string& part) {
    const Handle attribute(H5Aopen_by_name(file, object.c_str(), part.c_str(), H5P_DEFAULT, H5P_DEFAULT),
                           H5Aclose);
    if (!attribute.ok()) impl_->fail(object, fmt::format("has no attribute {}", part));
    const Handle type(H5Aget_type(attribute.id()), H5Tclose), space(H5Aget_space(attribute.id()), H5Sclose);
    const auto dims = extents(space.id());
    const bool null = H5Sget_simple_extent_type(space.id()) == H5S_NULL;
    if (null || (dims && product(*dims) == 0)) return;
    if (!dims || kind_of(type.id()) != Kind::string) {
      impl_->fail(object, fmt::format("attribute {} is not text", part));
    }
    require_possible(*impl_, object, product(*dims), type.id());
    const auto transfer = [&](void* to) { return H5Aread(attribute.id(), type.id(), to) >= 0; };
    if (!append_strings(type.id(), space.id(), product(*dims), transfer, out)) {
      impl_->fail(object, fmt::format("attribute {} cannot be read: {}", part, last_failure()));
    }
  };
  if (H5Aexists_by_name(file, object.c_str(), (name + "0").c_str(), H5P_DEFAULT) <= 0) {
    append(name);
    return out;
  }
  for (int part = 0;; ++part) {
    const std::string split = name + std::to_string(part);
    if (H5Aexists_by_name(file, object.c_str(), split.c_str(), H5P_DEFAULT) <= 0) return out;
    append(split);
  }
}

std::optional<std::string> File::text(const std::string& object, const std::string& name) const {
  if (!has_attribute(object, name)) return std::nullopt;
  std::vector<std::string> all = strings(object, name);
  return all.empty() ? std::string() : std::move(all.front());
}

std::vector<double> File::numbers(const std::string& object, const std::string& name) const {
  const Session session;
  const Handle attribute(
      H5Aopen_by_name(impl_->file.id(), object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  if (!attribute.ok()) impl_->fail(object, fmt::format("has no attribute {}", name));
  const Handle type(H5Aget_type(attribute.id()), H5Tclose), space(H5Aget_space(attribute.id()), H5Sclose);
  const auto dims = extents(space.id());
  const Kind holds = kind_of(type.id());
  if (!dims || (holds != Kind::integer && holds != Kind::floating)) {
    impl_->fail(object, fmt::format("attribute {} is not a number", name));
  }
  require_possible(*impl_, object, product(*dims), type.id());
  std::vector<double> out(static_cast<size_t>(product(*dims)));
  if (!out.empty() && H5Aread(attribute.id(), H5T_NATIVE_DOUBLE, out.data()) < 0) {
    impl_->fail(object, fmt::format("attribute {} cannot be read: {}", name, last_failure()));
  }
  return out;
}

}  // namespace xf::hdf5
