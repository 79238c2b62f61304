# What `cmake --install` puts where. The components are the packages of packages.cmake.
include(CMakePackageConfigHelpers)
include(${CMAKE_CURRENT_LIST_DIR}/public_headers.cmake)
set(XFERRUN_CMAKE_FOLDER ${CMAKE_INSTALL_LIBDIR}/cmake/xferrun)

install(TARGETS xferrun COMPONENT program)
install(DIRECTORY ${CMAKE_BINARY_DIR}/manual/man1 DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT program)
install(FILES ${CMAKE_BINARY_DIR}/manual/xferrun.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME xferrun COMPONENT program)
install(FILES ${CMAKE_BINARY_DIR}/manual/xferrun.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
  COMPONENT program)
# zsh looks into the first in most prefixes, Debian's zsh into the second for what a package brings.
foreach(folder IN ITEMS site-functions vendor-completions)
  install(FILES ${CMAKE_BINARY_DIR}/manual/_xferrun DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/${folder} COMPONENT program)
endforeach()

# The libraries, and the modules that are loaded when they are asked for.
install(TARGETS xferrun_shared EXPORT xferrun LIBRARY COMPONENT program NAMELINK_COMPONENT development)
install(TARGETS xferrun_static EXPORT xferrun-static ARCHIVE COMPONENT development)
if(TARGET xferrun_mpi)
  install(TARGETS xferrun_mpi LIBRARY DESTINATION ${XFERRUN_MODULE_FOLDER} COMPONENT mpi)
endif()
if(TARGET xferrun_cuda)
  install(TARGETS xferrun_cuda LIBRARY DESTINATION ${XFERRUN_MODULE_FOLDER} COMPONENT cuda)
endif()

install(FILES tools/embed/xferrun.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
xferrun_with_included(headers XFERRUN_PUBLIC_HEADERS)
foreach(header IN LISTS headers)
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/xferrun/${folder} COMPONENT development)
endforeach()

install(EXPORT xferrun NAMESPACE xferrun:: FILE xferrunTargets.cmake DESTINATION ${XFERRUN_CMAKE_FOLDER}
  COMPONENT development)
install(EXPORT xferrun-static NAMESPACE xferrun:: FILE xferrunStaticTargets.cmake DESTINATION ${XFERRUN_CMAKE_FOLDER}
  COMPONENT development)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/xferrunConfig.cmake.in ${CMAKE_BINARY_DIR}/xferrunConfig.cmake
  INSTALL_DESTINATION ${XFERRUN_CMAKE_FOLDER} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/xferrunConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/xferrunConfig.cmake ${CMAKE_BINARY_DIR}/xferrunConfigVersion.cmake
  DESTINATION ${XFERRUN_CMAKE_FOLDER} COMPONENT development)
file(RELATIVE_PATH XFERRUN_PREFIX_FROM_PC ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(${CMAKE_CURRENT_LIST_DIR}/xferrun.pc.in ${CMAKE_BINARY_DIR}/xferrun.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/xferrun.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
