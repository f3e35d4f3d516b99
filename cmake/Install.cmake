# SPDX-License-Identifier: Apache-2.0
# The library as one target, gpueval::gpueval, and what `cmake --install` writes: with find_package(gpueval), with
# add_subdirectory() and with FetchContent a project links the same name.

get_property(modules GLOBAL PROPERTY GPUEVAL_MODULES)
list(APPEND modules gpueval_onnx_schema)
list(REMOVE_ITEM modules gpueval_program gpueval_cli)  # the program's
set(objects "")
foreach(module IN LISTS modules)
  list(APPEND objects $<TARGET_OBJECTS:${module}>)
endforeach()
add_library(gpueval STATIC EXCLUDE_FROM_ALL ${objects})
add_library(gpueval::gpueval ALIAS gpueval)
set_target_properties(gpueval PROPERTIES LINKER_LANGUAGE CXX)
target_compile_features(gpueval PUBLIC cxx_std_20)
target_include_directories(gpueval PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
# Public headers need fmt alone; the rest is for the linker.
target_link_libraries(gpueval PUBLIC fmt::fmt PRIVATE OpenSSL::Crypto OpenMP::OpenMP_CXX nlohmann_json::nlohmann_json
  gpueval::hdf5 gpueval::zip gpueval::jpeg gpueval::png gpueval::pugixml gpueval::opencv gpueval::dnnl
  protobuf::libprotobuf-lite ${CMAKE_DL_LIBS})
if(GPUEVAL_CUDA)
  target_link_libraries(gpueval PRIVATE CUDA::cudart_static)
endif()

option(GPUEVAL_INSTALL "Make the rules of cmake --install" ${PROJECT_IS_TOP_LEVEL})
if(NOT GPUEVAL_INSTALL)
  return()
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set_target_properties(gpueval PROPERTIES EXCLUDE_FROM_ALL OFF)

# The manual page is what the program says of itself.
set(man_page ${PROJECT_BINARY_DIR}/gpu_eval.1)
add_custom_command(OUTPUT ${man_page}
  COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:gpu_eval> -DOUT=${man_page} -DVERSION=${PROJECT_VERSION}
          -P ${PROJECT_SOURCE_DIR}/cmake/ManPage.cmake
  DEPENDS gpu_eval ${PROJECT_SOURCE_DIR}/cmake/ManPage.cmake VERBATIM)
add_custom_target(man_page ALL DEPENDS ${man_page})

install(TARGETS gpu_eval)
install(TARGETS gpueval EXPORT gpueval INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/gpueval DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING
  PATTERN "*.h" PATTERN "*.inc")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
file(GLOB schemas CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/*-schema.json)
install(FILES ${schemas} DESTINATION ${CMAKE_INSTALL_DATADIR}/gpueval)
install(FILES ${man_page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/gpueval)
install(EXPORT gpueval NAMESPACE gpueval:: FILE gpueval-targets.cmake DESTINATION ${package})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/gpueval-config.cmake.in ${PROJECT_BINARY_DIR}/gpueval-config.cmake
  INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/gpueval-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/gpueval-config.cmake ${PROJECT_BINARY_DIR}/gpueval-config-version.cmake
  ${PROJECT_SOURCE_DIR}/cmake/LinkedLibraries.cmake DESTINATION ${package})
