#pragma once
// A file driver for writing. HDF5 1.10 does not survive a write that fails: it can neither close the file nor
// end the process without a crash. Under this driver no write fails; the first error is remembered instead.

#include "engine/io/hdf5_library.h"

namespace xf::hdf5 {

/// A file-access property list for creating a file that exists and is empty. Once a write has failed,
/// `*error` holds its errno and what follows is dropped; it must outlive the file.
Handle remembering_access(int* error);

}  // namespace xf::hdf5
