# SPDX-License-Identifier: Apache-2.0
# models/demo.cpp carries the demo's weight file in itself.
set(demo_weights ${PROJECT_SOURCE_DIR}/models/demo/demo.h5)
set_source_files_properties(${PROJECT_SOURCE_DIR}/models/demo.cpp PROPERTIES
  COMPILE_DEFINITIONS "GPUEVAL_DEMO_WEIGHTS=\"${demo_weights}\"" OBJECT_DEPENDS ${demo_weights})
