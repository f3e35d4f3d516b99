# SPDX-License-Identifier: Apache-2.0
# cmake -DBUILD=a built tree -DOUT=scratch folder -P check.cmake: installs the tree, looks at what there is, and builds and
# runs the consumer against it, from a folder that was moved.
cmake_minimum_required(VERSION 3.25)
function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${OUT})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${OUT}/first)
file(RENAME ${OUT}/first ${OUT}/installed)
file(GLOB_RECURSE files RELATIVE ${OUT}/installed ${OUT}/installed/*)
foreach(wanted bin/gpu_eval include/gpueval/engine\\.h "share/doc/.*/LICENSE" share/gpueval/result-schema\\.json
    share/man/man1/gpu_eval\\.1 "lib.*/libgpueval\\.a" "lib.*/cmake/gpueval/gpueval-config\\.cmake")
  if(NOT "${files}" MATCHES "(^|;)${wanted}(;|$)")
    message(FATAL_ERROR "not installed: ${wanted}\n${files}")
  endif()
endforeach()
run(${OUT}/installed/bin/gpu_eval --version)

# What --help lists stands in the manual page.
execute_process(COMMAND ${OUT}/installed/bin/gpu_eval --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
file(READ ${OUT}/installed/share/man/man1/gpu_eval.1 page)
string(REPLACE "\\-" "-" page "${page}")
string(REGEX MATCHALL "--[a-z][a-z0-9-]+" options "${help}")
foreach(text IN LISTS options ITEMS "GPU_EVAL CALIBRATE" "GPU_EVAL SELFTEST")
  string(FIND "${page}" "${text}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "gpu_eval.1 lacks ${text}")
  endif()
endforeach()

run(${CMAKE_COMMAND} -G Ninja -S ${CMAKE_CURRENT_LIST_DIR} -B ${OUT}/build -DCMAKE_PREFIX_PATH=${OUT}/installed
  -DCMAKE_BUILD_TYPE=Debug)
run(${CMAKE_COMMAND} --build ${OUT}/build --target measure headers)
run(${OUT}/build/measure)
