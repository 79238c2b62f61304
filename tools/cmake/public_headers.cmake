# The headers of the C++ API: these, and those of the repository that they include.
set(XFERRUN_PUBLIC_HEADERS
  engine/core/error.h engine/core/log.h engine/core/tensor.h engine/core/threads.h
  engine/io/hdf5.h engine/io/image.h
  engine/data/dataset.h engine/data/loader.h engine/data/pixels.h engine/data/resize.h engine/data/scan.h
  engine/data/split.h engine/data/split_file.h
  engine/graph/graph.h engine/graph/net.h engine/graph/ops.h
  engine/plan/compile.h engine/plan/explain.h
  engine/run/executor.h engine/run/param_store.h
  engine/train/grad_cam.h engine/train/inference.h engine/train/metrics.h engine/train/trainer.h
  engine/signal/gravity_spy.h engine/signal/qscan.h engine/signal/simulate.h engine/signal/strain.h
  engine/analyze/features_file.h engine/analyze/hdbscan.h engine/analyze/out_of_class.h engine/analyze/similar.h
  engine/analyze/tsne.h
  kernels/cpu/backend.h kernels/cuda/load.h
  models/registry.h
  weights/export.h weights/import.h weights/inspect.h weights/run_info.h
  tools/xferrun/classifier.h tools/xferrun/loaded_model.h tools/xferrun/run_folder.h tools/xferrun/session.h)

# Appends to the list `found` what the headers of the list `given` include, and themselves.
function(xferrun_with_included found given)
  set(all ${${given}})
  set(next ${all})
  while(next)
    list(POP_FRONT next header)
    set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${header})
    file(STRINGS ${PROJECT_SOURCE_DIR}/${header} lines REGEX "^#include \"")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^#include \"([^\"]+)\".*" "\\1" included "${line}")
      if(NOT included IN_LIST all)
        list(APPEND all ${included})
        list(APPEND next ${included})
      endif()
    endforeach()
  endwhile()
  set(${found} ${all} PARENT_SCOPE)
endfunction()
