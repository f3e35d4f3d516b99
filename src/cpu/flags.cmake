# SPDX-License-Identifier: Apache-2.0
# Instruction sets per file; the choice between them is made at run time (int8/isa.cpp).
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  file(GLOB avx512_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/int8/*_avx512.cpp
    ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/roof/*_avx512.cpp ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/float32/*_avx512.cpp)
  file(GLOB amx_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/int8/*_amx.cpp
    ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/roof/*_amx.cpp)
  file(GLOB avx2_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/int8/*_avx2.cpp
    ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/roof/*_avx2.cpp ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/float32/*_avx2.cpp)
  # g++ 12 warns of its own _mm512_undefined_*() as uninitialized.
  set(avx512_flags
    "-mavx2;-mfma;-mavx512f;-mavx512bw;-mavx512vl;-mavx512dq;-mavx512vnni;-mprefer-vector-width=512;$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-uninitialized>")
  set_source_files_properties(${avx512_sources} PROPERTIES COMPILE_OPTIONS "${avx512_flags}")
  set_source_files_properties(${amx_sources} PROPERTIES COMPILE_OPTIONS "${avx512_flags};-mamx-tile;-mamx-int8")
  set_source_files_properties(${avx2_sources} PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma")
  # Newer than the others: GCC 11, clang 12, and an assembler that knows it.
  include(CheckCXXSourceCompiles)
  set(CMAKE_REQUIRED_FLAGS "-mavx2 -mavxvnni")
  check_cxx_source_compiles("#include <immintrin.h>
    int main(int n, char**) {
      __m256i v = _mm256_set1_epi32(n);
      asm volatile(\"%{vex%} vpdpbusd %1, %1, %0\" : \"+x\"(v) : \"x\"(_mm256_set1_epi32(1)));
      return _mm256_extract_epi32(v, 0);
    }" GPUEVAL_COMPILER_KNOWS_AVX_VNNI)
  unset(CMAKE_REQUIRED_FLAGS)
  if(GPUEVAL_COMPILER_KNOWS_AVX_VNNI)
    file(GLOB avx_vnni_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/int8/*_avx_vnni.cpp
      ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/roof/*_avx_vnni.cpp)
    set_source_files_properties(${avx_vnni_sources} PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-mavxvnni")
    target_compile_definitions(gpueval_cpu PUBLIC GPUEVAL_AVX_VNNI=1)
  else()
    message(STATUS "No AVX-VNNI kernels: ${CMAKE_CXX_COMPILER} or its assembler does not know -mavxvnni")
  endif()
endif()
# Without it GCC 12 vectorises no choice between two results; none of these loops reads floating-point exceptions.
file(GLOB function_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/float32/functions_*.cpp)
set_property(SOURCE ${function_sources} APPEND PROPERTY COMPILE_OPTIONS -fno-trapping-math)
