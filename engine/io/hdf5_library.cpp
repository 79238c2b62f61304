#include "engine/io/hdf5_library.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <type_traits>

#include "engine/io/hdf5.h"

namespace xf::hdf5 {

static_assert(std::is_same_v<hid_t, int64_t>);

namespace {
std::recursive_mutex& library_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

herr_t take_first(unsigned, const H5E_error2_t* entry, void* into) {
  auto& text = *static_cast<std::string*>(into);
  if (text.empty() && entry->desc != nullptr) text = entry->desc;
  return 0;
}
}  // namespace

Session::Session() : lock_(library_mutex()) { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

LibraryVersion library_version() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return {fmt::format("{}.{}.{}", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE),
          fmt::format("{}.{}.{}", major, minor, release)};
}

std::string last_failure() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &text);  // upward starts where the failure was noticed
  return text;
}

}  // namespace xf::hdf5
