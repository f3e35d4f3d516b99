# SPDX-License-Identifier: Apache-2.0
# gpueval_options: warnings and numerics shared by every target. gpueval_module(): one static library a folder.
# Most of a file's compilation is the headers it includes: scripts/test.sh compiles several files of a module at once. The
# ordinary build compiles each by itself, which shows a missing include.
option(GPUEVAL_UNITY "Compile several files of a module at once: quicker from nothing, slower after a change" OFF)
add_library(gpueval_options INTERFACE)
# A contracted a*b+c differs in about one of two million results from fmaf where design section 4 asks for none.
target_compile_options(gpueval_options INTERFACE -ffp-contract=off)
if(PROJECT_IS_TOP_LEVEL)
  # Designated initialisers leave fields out on purpose; -Wrestrict is wrong about std::string in GCC 12 (bug 105651).
  target_compile_options(gpueval_options INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror
                         -Wno-missing-field-initializers $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
                         # A loop marked for vectors that a sanitizer keeps from them is no fault.
                         $<$<CXX_COMPILER_ID:Clang>:-Wno-pass-failed>)
endif()
# Code that is not measured (command line, reports, tests): compiling it takes longer than running it.
add_library(gpueval_cold_options INTERFACE)
target_link_libraries(gpueval_cold_options INTERFACE gpueval_options)
if(GPUEVAL_SANITIZE OR GPUEVAL_FUZZ)
  # Without null and vptr: a check at each use, twice the compile time. AddressSanitizer sees null pointers and freed
  # objects, but no wrong dynamic types.
  add_compile_options(-O1 -g1 -fsanitize=address,undefined -fno-sanitize=null,vptr -fno-sanitize-recover=undefined
    -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  add_compile_definitions($<$<CXX_COMPILER_ID:Clang>:__SANITIZE_ADDRESS__=1>)  # as g++ says it
endif()
if(GPUEVAL_SANITIZE)
  # With -fsanitize g++ 12 takes std::regex's own std::function for uninitialized.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_compile_options(gpueval_cold_options INTERFACE -O0)
else()
  target_compile_options(gpueval_cold_options INTERFACE $<$<CONFIG:Release>:-O1>)
endif()

# Several files of the target at once, but for those whose helpers have the names of another one's.
function(gpueval_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${GPUEVAL_UNITY} UNITY_BUILD_BATCH_SIZE 10)
  if(GPUEVAL_UNITY)  # said of what a .cpp file that another one includes keeps to itself
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
  if(ARGN)
    set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

# gpueval_module(NAME [COLD] [FUZZED] [DIR dir] LINK public... PRIVATE_LINK private... APART file...): all .cpp files of
# src/NAME (or dir) but main.cpp. FUZZED: fuzz targets link it. APART: files or patterns that
# gpueval_unity() leaves out.
function(gpueval_module name)
  cmake_parse_arguments(M "COLD;FUZZED" "DIR" "LINK;PRIVATE_LINK;APART" ${ARGN})
  if(NOT M_DIR)
    set(M_DIR src/${name})
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${M_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT sources)
    message(FATAL_ERROR "${PROJECT_SOURCE_DIR}/${M_DIR} has no .cpp files: the checkout is incomplete")
  endif()
  add_library(gpueval_${name} STATIC ${sources})
  set_property(GLOBAL APPEND PROPERTY GPUEVAL_MODULES gpueval_${name})
  list(TRANSFORM M_APART PREPEND ${PROJECT_SOURCE_DIR}/${M_DIR}/)
  if(M_APART)
    file(GLOB M_APART ${M_APART})
  endif()
  gpueval_unity(gpueval_${name} ${M_APART})
  if(GPUEVAL_FUZZ AND M_FUZZED)
    target_compile_options(gpueval_${name} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  target_include_directories(gpueval_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
  target_link_libraries(gpueval_${name} PUBLIC ${M_LINK} PRIVATE ${M_PRIVATE_LINK}
    $<IF:$<BOOL:${M_COLD}>,gpueval_cold_options,gpueval_options>)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${M_DIR}/flags.cmake)
    include(${PROJECT_SOURCE_DIR}/${M_DIR}/flags.cmake)
  endif()
endfunction()
