#pragma once
// The program's side of the MPI module.

#include "kernels/mpi/module.h"

namespace xf::mpi {

/// How many ranks the launcher of this process says it started (mpirun, srun --mpi); 1 where it says nothing.
int launched_ranks();

/// Loads libxferrun_mpi.so, once: from where the CUDA module is looked for. Throws UnavailableError where
/// there is none, where MPI is missing, or where it belongs to another build.
const Module& load_module();

}  // namespace xf::mpi
