#include "kernels/module_path.h"

#include <dlfcn.h>
#include <link.h>

#include <filesystem>
#include <system_error>

namespace xf {

namespace {

// The program, or the shared library, that this code is in.
std::filesystem::path own_file() {
  std::error_code ignored;
  Dl_info here{};
  link_map* object = nullptr;
  const auto* code = reinterpret_cast<const void*>(&own_file);
  const int found = dladdr1(code, &here, reinterpret_cast<void**>(&object), RTLD_DL_LINKMAP);
  // The program itself has no name there.
  if (found != 0 && object != nullptr && *object->l_name != '\0')
    return std::filesystem::canonical(object->l_name, ignored);
  return std::filesystem::read_symlink("/proc/self/exe", ignored);
}

}  // namespace

std::string module_path(const char* file) {
  std::error_code ignored;
  const std::filesystem::path folder = own_file().parent_path();
  for (const char* there : {"", "../lib", "xferrun", XFERRUN_MODULES}) {
    const std::filesystem::path path = folder / there / file;
    if (!folder.empty() && std::filesystem::exists(path, ignored)) return path.lexically_normal().string();
  }
  return file;
}

}  // namespace xf
