#pragma once
// Where the parts of the program lie that are loaded when they are asked for.

#include <string>

namespace xf {

/// The path of a module `file` beside the program, or the shared library, that this code is in: in its
/// folder, in ../lib, as the build leaves it, or where it is installed, in lib/xferrun; else its bare name,
/// for the system's loader to find.
std::string module_path(const char* file);

}  // namespace xf
