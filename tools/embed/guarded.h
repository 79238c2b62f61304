#pragma once
// The border between C and C++: what is thrown becomes a status and a message.

#include <exception>

#include "tools/embed/xferrun.h"

namespace xf::embed {

/// Of the exception that is being handled. Puts its message into `error` where there is one.
xf_status status_of_current(xf_error* error) noexcept;

/// Runs the body, and lets nothing out that it throws.
template <class Body>
xf_status guarded(xf_error* error, const Body& body) noexcept {
  if (error != nullptr) error->what[0] = error->remedy[0] = '\0';
  try {
    body();
    return XF_OK;
  } catch (...) {
    return status_of_current(error);
  }
}

/// Throws UsageError where `pointer`, the argument of that name, is null.
void require(const void* pointer, const char* argument);

}  // namespace xf::embed
