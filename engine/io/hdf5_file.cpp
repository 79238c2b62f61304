#include "engine/io/hdf5_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "engine/core/error.h"

namespace xf::hdf5 {
namespace fs = std::filesystem;

namespace {

constexpr const char* kLockRemedy =
    "Close other programs that write it; where the file system has no locks, unset HDF5_USE_FILE_LOCKING or "
    "set it to FALSE.";

/// 'begins with "hello"': tells a text file, an HTML page or a Git LFS pointer from a damaged HDF5 file.
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
  H5Pset_file_locking(access.id(), false, true);
#endif
  Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose);
  if (file.ok()) return file;
  const std::string failure = last_failure();
  const auto says = [&](const char* word) { return failure.find(word) != std::string::npos; };
  if (says("unable to lock") || says("already open")) {
    throw DataError(path.string(), "is locked: " + failure, kLockRemedy);
  }
  if (says("truncated") || says("eof")) {
    throw DataError(path.string(), fmt::format("is truncated ({})", failure),
                    "Download or copy it again and compare its size and checksum with its source.");
  }
  if (H5Fis_hdf5(path.c_str()) <= 0) {
    throw DataError(path.string(), fmt::format("is not an HDF5 file: it {}", head), "Name an HDF5 file.");
  }
  throw DataError(path.string(), fmt::format("cannot be opened: {}", failure),
                  "The file may be damaged: compare its size and checksum with its source.");
}

}  // namespace

void File::Impl::fail(const std::string& object, const std::string& reason) const {
  throw DataError(path.string(), fmt::format("{}: {}", object, reason),
                  "Check that this is the file you mean and that it is whole.");
}

Handle File::Impl::open(const std::string& object) const {
  Handle h(H5Oopen(file.id(), object.c_str(), H5P_DEFAULT), H5Oclose);
  if (!h.ok()) fail(object, "is not in the file, or cannot be opened");
  return h;
}

Handle File::Impl::open_dataset(const std::string& object) const {
  Handle h(H5Dopen2(file.id(), object.c_str(), H5P_DEFAULT), H5Dclose);
  if (!h.ok()) fail(object, "is not in the file, or is not a dataset");
  return h;
}

Kind kind_of(int64_t type) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER: return Kind::integer;
    case H5T_FLOAT: return Kind::floating;
    case H5T_STRING: return Kind::string;
    default: return Kind::other;
  }
}

std::optional<std::vector<int64_t>> extents(int64_t space) {
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

void require_possible(const File::Impl& file, const std::string& object, int64_t count, int64_t type) {
  const auto width = static_cast<double>(H5Tget_size(type));
  if (static_cast<double>(count) * width <= 1032.0 * static_cast<double>(file.bytes)) return;
  file.fail(object, fmt::format("claims {} elements, more than the file can hold", count));
}

bool append_strings(int64_t type, int64_t space, int64_t count, const std::function<bool(void*)>& transfer,
                    std::vector<std::string>& out) {
  const size_t width = H5Tget_size(type);
  std::vector<char> raw(static_cast<size_t>(count) * width);
  if (!transfer(raw.data())) return false;
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

File::File(const fs::path& path) {
  const Session session;
  Handle file = open_file(path);
  hsize_t bytes = 0;
  H5Fget_filesize(file.id(), &bytes);
  impl_ = std::make_unique<Impl>(Impl{path, static_cast<int64_t>(bytes), std::move(file)});
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

std::vector<std::string> File::datasets(const std::string& group) const {
  const Session session;
  const Handle object = impl_->open(group);
  std::vector<std::string> paths;
  const auto visit = [](hid_t, const char* name, const H5O_info_t* info, void* into) -> herr_t {
    if (info->type == H5O_TYPE_DATASET) static_cast<std::vector<std::string>*>(into)->emplace_back(name);
    return 0;
  };
#if H5_VERSION_GE(1, 12, 0)
  const herr_t result = H5Ovisit3(object.id(), H5_INDEX_NAME, H5_ITER_INC, visit, &paths, H5O_INFO_BASIC);
#elif H5_VERSION_GE(1, 10, 3)
  const herr_t result = H5Ovisit2(object.id(), H5_INDEX_NAME, H5_ITER_INC, visit, &paths, H5O_INFO_BASIC);
#else
  const herr_t result = H5Ovisit1(object.id(), H5_INDEX_NAME, H5_ITER_INC, visit, &paths);
#endif
  if (result < 0) impl_->fail(group, "cannot be listed: " + last_failure());
  for (std::string& path : paths) path.insert(0, group.ends_with('/') ? group : group + "/");
  return paths;
}

}  // namespace xf::hdf5
