// Entry points that cudnn-frontend's headers name and that nothing here needs: each fails. Without CUDA's
// headers, since their prototypes of these differ from version to version.

namespace {
constexpr int kNotSupported = 801;  // cudaErrorNotSupported; no success to nvrtc and cuDNN either
}

// NOLINTBEGIN(readability-identifier-naming): the names are CUDA's
extern "C" {

int cudaGetDriverEntryPointByVersion() { return kNotSupported; }
int cudaGraphRetainUserObject() { return kNotSupported; }
int cudaKernelSetAttributeForDevice() { return kNotSupported; }
int cudaLaunchKernel() { return kNotSupported; }
int cudaLibraryGetKernel() { return kNotSupported; }
int cudaLibraryLoadData() { return kNotSupported; }
int cudaLibraryUnload() { return kNotSupported; }
int cudaPointerGetAttributes() { return kNotSupported; }
int cudaStreamGetCaptureInfo() { return kNotSupported; }
int cudaStreamGetCaptureInfo_v2() { return kNotSupported; }
int cudaStreamGetCaptureInfo_v3() { return kNotSupported; }
int cudaThreadExchangeStreamCaptureMode() { return kNotSupported; }
int cudaUserObjectCreate() { return kNotSupported; }
int cudaUserObjectRelease() { return kNotSupported; }

int cudnnDestroyFilterDescriptor() { return kNotSupported; }
int cudnnReorderFilterAndBias() { return kNotSupported; }
int cudnnSetFilterNdDescriptor() { return kNotSupported; }

int nvrtcCompileProgram() { return kNotSupported; }
int nvrtcCreateProgram() { return kNotSupported; }
int nvrtcDestroyProgram() { return kNotSupported; }
int nvrtcGetCUBIN() { return kNotSupported; }
int nvrtcGetCUBINSize() { return kNotSupported; }
int nvrtcGetProgramLog() { return kNotSupported; }
int nvrtcGetProgramLogSize() { return kNotSupported; }

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
