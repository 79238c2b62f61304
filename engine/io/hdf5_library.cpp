#include "engine/io/hdf5_library.h"

#include <hdf5.h>

#include <cstdlib>
#include <string_view>
#include <type_traits>

namespace xf::hdf5 {

static_assert(std::is_same_v<hid_t, int64_t>);

namespace {
std::recursive_mutex& library_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

herr_t collect(unsigned, const H5E_error2_t* entry, void* into) {
  auto& failure = *static_cast<Failure*>(into);
  if (entry->desc == nullptr) return 0;
  const std::string_view text = entry->desc;
  if (failure.text.empty()) failure.text = text;
  const size_t at = text.find("errno = ");
  if (at != std::string_view::npos && failure.error == 0) failure.error = std::atoi(entry->desc + at + 8);
  return 0;
}
}  // namespace

Session::Session() : lock_(library_mutex()) { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

Failure last_failure() {
  Failure failure;
  // Downward visits the place that noticed first last; upward starts with it.
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect, &failure);
  return failure;
}

}  // namespace xf::hdf5
