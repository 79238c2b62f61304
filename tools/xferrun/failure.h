#pragma once
// What went wrong, as the program and the C API tell it.

#include <string>

#include "tools/xferrun/exit_code.h"

namespace xf::tool {

struct Failure {
  ExitCode code;
  std::string what;    ///< "WHAT: WHY"
  std::string remedy;  ///< what to do
};

/// Of the exception that is being handled: to be called in a catch block.
Failure current_failure();

}  // namespace xf::tool
