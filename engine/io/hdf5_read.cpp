#include <fcntl.h>
#include <fmt/format.h>
#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <type_traits>
#include <utility>

#include "engine/core/error.h"
#include "engine/io/hdf5.h"
#include "engine/io/hdf5_library.h"

namespace xf::hdf5 {
namespace fs = std::filesystem;

struct File::Impl {
  fs::path path;
  Handle file;

  [[noreturn]] void fail(const std::string& object, const std::string& reason) const {
    throw DataError(path.string(), fmt::format("{}: {}", object, reason),
                    "The file may be damaged: compare its size and checksum with its source.");
  }
  [[nodiscard]] Handle open(const std::string& object) const {
    Handle h(H5Oopen(file.id(), object.c_str(), H5P_DEFAULT), H5Oclose);
    if (!h.ok()) fail(object, "is not in the file, or cannot be opened");
    return h;
  }
  [[nodiscard]] Handle open_dataset(const std::string& object) const {
    Handle h(H5Dopen2(file.id(), object.c_str(), H5P_DEFAULT), H5Dclose);
    if (!h.ok()) fail(object, "is not in the file, or is not a dataset");
    return h;
  }
};

namespace {

constexpr const char* kLockRemedy =
    "Another program may be writing it, or the file system has no locks: unset HDF5_USE_FILE_LOCKING or set "
    "it "
    "to FALSE, and close other writers.";

/// "'hello'": tells a text file, an HTML page or a Git LFS pointer from a damaged HDF5 file.
std::string beginning(int descriptor) {
  char head[24];
  const ssize_t n = std::max<ssize_t>(0, ::pread(descriptor, head, sizeof head, 0));
  std::string shown(head, static_cast<size_t>(n));
  for (char& c : shown) {
    if (std::isprint(static_cast<unsigned char>(c)) == 0) c = '.';
  }
  return n == 0 ? "is empty" : fmt::format("begins with \"{}\"", shown);
}

/// The system's word on whether the file can be read at all, before the library's.
std::string check_readable(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::error_code ignored;
  if (descriptor < 0 || fs::is_directory(path, ignored)) {
    const std::string why = descriptor < 0 ? std::generic_category().message(errno) : "is a folder";
    if (descriptor >= 0) ::close(descriptor);
    throw MissingInputError(path.string(), "cannot be read: " + why, "Name an HDF5 file that you may read.");
  }
  std::string head = beginning(descriptor);
  ::close(descriptor);
  return head;
}

Handle open_file(const fs::path& path) {
  const std::string head = check_readable(path);
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking(access.id(), 0, 1);
#endif
  Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose);
  if (file.ok()) return file;
  const Failure failure = last_failure();
  const auto says = [&](const char* word) { return failure.text.find(word) != std::string::npos; };
  if (says("unable to lock") || says("already open")) {
    throw DataError(path.string(), "is locked: " + failure.text, kLockRemedy);
  }
  if (says("truncated") || says("eof")) {
    throw DataError(path.string(), fmt::format("is truncated ({})", failure.text),
                    "Download or copy it again and compare its size and checksum with its source.");
  }
  if (H5Fis_hdf5(path.c_str()) <= 0) {
    throw DataError(path.string(), fmt::format("is not an HDF5 file: it {}", head), "Name an HDF5 file.");
  }
  throw DataError(path.string(), fmt::format("cannot be opened: {}", failure.text),
                  "The file may be damaged: compare its size and checksum with its source.");
}

template <class T>
hid_t memory_type() {
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, uint8_t>) return H5T_NATIVE_UINT8;
}

Kind kind_of(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER: return Kind::integer;
    case H5T_FLOAT: return Kind::floating;
    case H5T_STRING: return Kind::string;
    default: return Kind::other;
  }
}

/// Throws nothing: the caller names the object. Nothing for dimensions whose product overflows.
std::optional<std::vector<int64_t>> extents(hid_t space) {
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0) return std::nullopt;
  std::vector<hsize_t> raw(static_cast<size_t>(rank));
  H5Sget_simple_extent_dims(space, raw.data(), nullptr);
  std::vector<int64_t> dims;
  int64_t count = 1;
  for (const hsize_t d : raw) {
    const auto extent = static_cast<int64_t>(d);
    if (extent < 0 || __builtin_mul_overflow(count, extent, &count)) return std::nullopt;
    dims.push_back(extent);
  }
  return dims;
}

int64_t product(const std::vector<int64_t>& dims) {
  int64_t count = 1;
  for (const int64_t d : dims) count *= d;
  return count;
}

/// Strings out of `count` elements that `transfer` copies into memory of the given type.
template <class Transfer>
bool strings_of(hid_t type, hid_t space, int64_t count, Transfer&& transfer, std::vector<std::string>& out) {
  const size_t width = H5Tget_size(type);
  std::vector<char> raw(static_cast<size_t>(count) * width);
  if (transfer(raw.data()) < 0) return false;
  const bool variable = H5Tis_variable_str(type) > 0;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    const char* text = raw.data() + i * width;
    size_t length = width;
    if (variable) {
      std::memcpy(&text, raw.data() + i * width, sizeof text);
      length = text == nullptr ? 0 : std::strlen(text);
      out.emplace_back(text == nullptr ? "" : text, length);
      continue;
    }
    length = strnlen(text, width);
    if (H5Tget_strpad(type) == H5T_STR_SPACEPAD) {
      while (length > 0 && text[length - 1] == ' ') --length;
    }
    out.emplace_back(text, length);
  }
  if (variable) H5Dvlen_reclaim(type, space, H5P_DEFAULT, raw.data());
  return true;
}

}  // namespace

File::File(const fs::path& path) {
  const Session session;
  impl_ = std::make_unique<Impl>(Impl{path, open_file(path)});
}

File::File(File&&) noexcept = default;

File& File::operator=(File&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

File::~File() {
  const Session session;
  impl_.reset();
}

const fs::path& File::path() const { return impl_->path; }

bool File::exists(const std::string& object) const {
  const Session session;
  // The library wants every link on the way to exist before it answers for the last one.
  for (size_t end = object.find('/', 1);; end = object.find('/', end + 1)) {
    const std::string prefix = object.substr(0, end);
    if (prefix != "/" && !prefix.empty()) {
      if (H5Lexists(impl_->file.id(), prefix.c_str(), H5P_DEFAULT) <= 0) return false;
      if (H5Oexists_by_name(impl_->file.id(), prefix.c_str(), H5P_DEFAULT) <= 0) return false;
    }
    if (end == std::string::npos) return true;
  }
}

bool File::is_dataset(const std::string& object) const {
  const Session session;
  if (!exists(object)) return false;
  return H5Iget_type(impl_->open(object).id()) == H5I_DATASET;
}

std::vector<std::string> File::children(const std::string& group) const {
  const Session session;
  const Handle object = impl_->open(group);
  std::vector<std::string> names;
  const auto visit = [](hid_t, const char* name, const H5L_info_t*, void* into) -> herr_t {
    static_cast<std::vector<std::string>*>(into)->emplace_back(name);
    return 0;
  };
  hsize_t start = 0;
  if (H5Literate(object.id(), H5_INDEX_NAME, H5_ITER_INC, &start, visit, &names) < 0) {
    impl_->fail(group, "is not a group, or cannot be listed");
  }
  return names;
}

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

template <class T>
std::vector<T> File::read(const std::string& dataset) const {
  const std::vector<int64_t> dims = this->dims(dataset);
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
    impl_->fail(dataset, "cannot be read: " + last_failure().text);
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
  const auto transfer = [&](void* to) {
    return H5Dread(data.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, to);
  };
  std::vector<std::string> out;
  if (!strings_of(type.id(), space.id(), count, transfer, out)) {
    impl_->fail(dataset, "cannot be read: " + last_failure().text);
  }
  return out;
}

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
    const auto transfer = [&](void* to) { return H5Aread(attribute.id(), type.id(), to); };
    if (!strings_of(type.id(), space.id(), product(*dims), transfer, out)) {
      impl_->fail(object, fmt::format("attribute {} cannot be read: {}", part, last_failure().text));
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
  std::vector<double> out(static_cast<size_t>(product(*dims)));
  if (!out.empty() && H5Aread(attribute.id(), H5T_NATIVE_DOUBLE, out.data()) < 0) {
    impl_->fail(object, fmt::format("attribute {} cannot be read: {}", name, last_failure().text));
  }
  return out;
}

}  // namespace xf::hdf5
