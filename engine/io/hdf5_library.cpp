#include "engine/io/hdf5_library.h"

#include <hdf5.h>

#include <type_traits>

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

std::string last_failure() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &text);  // upward starts where the failure was noticed
  return text;
}

}  // namespace xf::hdf5
