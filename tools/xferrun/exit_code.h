#pragma once
// What the program ends with.

namespace xf::tool {

/// sysexits(3) where it has a code that fits.
enum ExitCode : int {
  kDone = 0,
  kUsage = 2,
  kBadData = 65,
  kNoInput = 66,
  kUnavailable = 69,
  kInternal = 70,
  kNoMemory = 71,
  kExists = 73,
  kWriteFailed = 74,
  kStopped = 75,
  kDiverged = 76,
};

}  // namespace xf::tool
