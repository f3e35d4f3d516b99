# SPDX-License-Identifier: Apache-2.0
# Instruction sets per file; the choice between them is made at run time (int8/isa.cpp).
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  file(GLOB avx512_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/int8/*_avx512.cpp
    ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/roof/*_avx512.cpp ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/float32/*_avx512.cpp)
  file(GLOB amx_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/int8/*_amx.cpp
    ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/roof/*_amx.cpp)
  file(GLOB avx2_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/int8/*_avx2.cpp
    ${CMAKE_CURRENT_SOURCE_DIR}/src/cpu/roof/*_avx2.cpp)
  # g++ 12 warns of its own _mm512_undefined_*() as uninitialized.
  set(avx512_flags
    "-mavx2;-mfma;-mavx512f;-mavx512bw;-mavx512vl;-mavx512dq;-mavx512vnni;-mprefer-vector-width=512;$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-uninitialized>")
  set_source_files_properties(${avx512_sources} PROPERTIES COMPILE_OPTIONS "${avx512_flags}")
  set_source_files_properties(${amx_sources} PROPERTIES COMPILE_OPTIONS "${avx512_flags};-mamx-tile;-mamx-int8")
  set_source_files_properties(${avx2_sources} PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma")
endif()
