#include "engine/io/hdf5_driver.h"

#include <fcntl.h>
#include <hdf5.h>
#include <unistd.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace xf::hdf5 {
namespace {

struct OpenFile {
  H5FD_t base;  // first: the library hands out pointers to it
  int descriptor;
  int* error;
  haddr_t allocated;  // end of what the library has given out
  haddr_t written;    // end of what was written
};

OpenFile& of(H5FD_t* file) { return *reinterpret_cast<OpenFile*>(file); }
const OpenFile& of(const H5FD_t* file) { return *reinterpret_cast<const OpenFile*>(file); }

H5FD_t* open_file(const char* name, unsigned, hid_t access, haddr_t) {
  const void* info = H5Pget_driver_info(access);
  if (info == nullptr) return nullptr;
  int* error = *static_cast<int* const*>(info);
  const int descriptor = ::open(name, O_RDWR | O_CLOEXEC);
  if (descriptor < 0) {
    *error = errno;
    return nullptr;
  }
  return &(new OpenFile{{}, descriptor, error, 0, 0})->base;
}

herr_t close_file(H5FD_t* file) {
  const std::unique_ptr<OpenFile> owned(&of(file));
  if (::close(owned->descriptor) != 0 && *owned->error == 0) *owned->error = errno;
  return 0;
}

herr_t query(const H5FD_t*, unsigned long* flags) {
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

haddr_t allocated(const H5FD_t* file, H5FD_mem_t) { return of(file).allocated; }
haddr_t written(const H5FD_t* file, H5FD_mem_t) { return of(file).written; }

herr_t set_allocated(H5FD_t* file, H5FD_mem_t, haddr_t end) {
  of(file).allocated = end;
  return 0;
}

herr_t read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, size_t size, void* to) {
  auto* bytes = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t n = ::pread(of(file).descriptor, bytes, size, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) {  // beyond the end of the file its address space reads as zeros
      std::memset(bytes, 0, size);
      return 0;
    }
    bytes += n;
    at += static_cast<haddr_t>(n);
    size -= static_cast<size_t>(n);
  }
  return 0;
}

herr_t write(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, size_t size, const void* from) {
  OpenFile& f = of(file);
  const auto* bytes = static_cast<const char*>(from);
  f.written = std::max(f.written, at + size);
  while (size > 0 && *f.error == 0) {
    const ssize_t n = ::pwrite(f.descriptor, bytes, size, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      *f.error = errno;
      break;
    }
    bytes += n;
    at += static_cast<haddr_t>(n);
    size -= static_cast<size_t>(n);
  }
  return 0;
}

herr_t truncate(H5FD_t* file, hid_t, hbool_t) {
  OpenFile& f = of(file);
  if (f.written == f.allocated) return 0;
  if (*f.error == 0 && ::ftruncate(f.descriptor, static_cast<off_t>(f.allocated)) != 0) *f.error = errno;
  f.written = f.allocated;
  return 0;
}

H5FD_class_t driver() {
  H5FD_class_t c{};
#if H5_VERSION_GE(1, 13, 0)
  c.version = H5FD_CLASS_VERSION;
  c.value = static_cast<H5FD_class_value_t>(512);
#endif
  c.name = "xferrun_remembering";
  c.maxaddr = HADDR_MAX >> 1;
  c.fc_degree = H5F_CLOSE_STRONG;
  c.fapl_size = sizeof(int*);
  c.open = open_file;
  c.close = close_file;
  c.query = query;
  c.get_eoa = allocated;
  c.set_eoa = set_allocated;
  c.get_eof = written;
  c.read = read;
  c.write = write;
  c.truncate = truncate;
  const H5FD_mem_t map[] = H5FD_FLMAP_DICHOTOMY;
  std::copy(std::begin(map), std::end(map), c.fl_map);
  return c;
}

}  // namespace

Handle remembering_access(int* error) {
  static const H5FD_class_t kDriver = driver();
  static const hid_t kId = H5FDregister(&kDriver);
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  if (access.ok()) H5Pset_driver(access.id(), kId, static_cast<const void*>(&error));
  return access;
}

}  // namespace xf::hdf5
