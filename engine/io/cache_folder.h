#pragma once
// Where this program keeps what it can make or fetch again.

#include <filesystem>

namespace xf::io {

/// `$XDG_CACHE_HOME/xferrun`, or `~/.cache/xferrun` where that is unset or relative (the XDG base directory
/// specification calls a relative one invalid). Empty when there is no home either.
std::filesystem::path cache_folder();

}  // namespace xf::io
