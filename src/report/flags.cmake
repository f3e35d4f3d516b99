# SPDX-License-Identifier: Apache-2.0
# The git revision is looked up at every build; the header changes only when it does.
set(revision_folder ${PROJECT_BINARY_DIR}/generated)
add_custom_target(gpueval_revision
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DOUT=${revision_folder}/gpueval_revision.h
          -P ${PROJECT_SOURCE_DIR}/src/report/revision.cmake
  BYPRODUCTS ${revision_folder}/gpueval_revision.h VERBATIM)
add_dependencies(gpueval_report gpueval_revision)
target_include_directories(gpueval_report PRIVATE ${revision_folder})
set_property(SOURCE ${PROJECT_SOURCE_DIR}/src/report/host.cpp APPEND PROPERTY COMPILE_DEFINITIONS
  GPUEVAL_VERSION="${PROJECT_VERSION}")
