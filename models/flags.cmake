# SPDX-License-Identifier: Apache-2.0
# models/demo_weights.cpp carries the demo's weight files in itself.
set(demo_folder ${PROJECT_SOURCE_DIR}/models/demo)
set_source_files_properties(${PROJECT_SOURCE_DIR}/models/demo_weights.cpp PROPERTIES
  COMPILE_DEFINITIONS "GPUEVAL_DEMO_FOLDER=\"${demo_folder}\""
  OBJECT_DEPENDS "${demo_folder}/demo.h5;${demo_folder}/demo_segmentation.h5;${demo_folder}/demo_detection.h5")
