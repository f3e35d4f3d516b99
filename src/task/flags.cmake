# SPDX-License-Identifier: Apache-2.0
# src/task/detection/embedded_priors.cpp carries models/priors/*.json in itself.
file(GLOB priors CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/models/priors/*.json)
set(priors_table "")
foreach(file ${priors})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND priors_table "{\"${name}\", R\"json(${text})json\"},\n")
endforeach()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${priors})
set(priors_folder ${PROJECT_BINARY_DIR}/generated/priors)
file(CONFIGURE OUTPUT ${priors_folder}/embedded_priors.inc CONTENT "${priors_table}" @ONLY)
target_include_directories(gpueval_task PRIVATE ${priors_folder})
