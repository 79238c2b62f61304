# `cpack` in the build folder makes the packages: .deb for the program, for development, and for each module that is built, and
# a tarball.
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_CONTACT "the authors of xferrun <xferrun@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Deep transfer learning for gravitational-wave glitches")
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL program development)
if(TARGET xferrun_mpi)
  list(APPEND CPACK_COMPONENTS_ALL mpi)
endif()
if(TARGET xferrun_cuda)
  list(APPEND CPACK_COMPONENTS_ALL cuda)
endif()

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)  # with the trigger that makes the loader know the library

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME xferrun)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "The program xferrun, and the shared library with its C API.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libxferrun-dev)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
  "Headers of the C and C++ APIs, the static library, and what CMake and pkg-config need to find them.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "xferrun (= ${PROJECT_VERSION})")
# What the static library is linked with.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS "libdnnl-dev, libhwy-dev, libfftw3-dev, libhdf5-dev, \
libcurl4-openssl-dev, nlohmann-json3-dev, libfmt-dev, libspdlog-dev, pkg-config")

set(CPACK_DEBIAN_MPI_PACKAGE_NAME xferrun-mpi)
set(CPACK_COMPONENT_MPI_DESCRIPTION "The module with which several processes of xferrun share one training.")
set(CPACK_DEBIAN_MPI_PACKAGE_DEPENDS "xferrun (= ${PROJECT_VERSION}), openmpi-bin")

# CUDA's libraries come from NVIDIA, in packages that carry the version in their names, or in none.
set(CPACK_DEBIAN_CUDA_PACKAGE_NAME xferrun-cuda)
set(CPACK_COMPONENT_CUDA_DESCRIPTION "The module with which xferrun computes on NVIDIA GPUs.")
set(CPACK_DEBIAN_CUDA_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_CUDA_PACKAGE_DEPENDS "xferrun (= ${PROJECT_VERSION})")
string(REPLACE "." "-" XFERRUN_CUDA_DASHED "${CUDAToolkit_VERSION_MAJOR}.${CUDAToolkit_VERSION_MINOR}")
set(CPACK_DEBIAN_CUDA_PACKAGE_RECOMMENDS
  "cuda-cudart-${XFERRUN_CUDA_DASHED}, libcublas-${XFERRUN_CUDA_DASHED}, cuda-nvrtc-${XFERRUN_CUDA_DASHED}, \
libcudnn9-cuda-${CUDAToolkit_VERSION_MAJOR}")
include(CPack)
