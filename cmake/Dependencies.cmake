# SPDX-License-Identifier: Apache-2.0
# Every library comes from Debian 12; scripts/install_dependencies.sh installs them.
find_package(fmt REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBZIP REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(TURBOJPEG REQUIRED IMPORTED_TARGET libturbojpeg)

add_library(gpueval_hdf5 INTERFACE)
target_include_directories(gpueval_hdf5 SYSTEM INTERFACE ${HDF5_INCLUDE_DIRS})
target_link_libraries(gpueval_hdf5 INTERFACE ${HDF5_C_LIBRARIES})
add_library(gpueval_zip INTERFACE)
target_link_libraries(gpueval_zip INTERFACE PkgConfig::LIBZIP)
add_library(gpueval_jpeg INTERFACE)
target_link_libraries(gpueval_jpeg INTERFACE PkgConfig::TURBOJPEG)

# Only core and imgproc: imgcodecs drags in 185 MB of libraries. Debian's OpenCVConfig needs all modules installed.
find_path(OPENCV_INCLUDE_DIR opencv2/imgproc.hpp PATH_SUFFIXES opencv4 REQUIRED)
find_library(OPENCV_CORE_LIBRARY opencv_core REQUIRED)
find_library(OPENCV_IMGPROC_LIBRARY opencv_imgproc REQUIRED)
add_library(gpueval_opencv INTERFACE)
target_include_directories(gpueval_opencv SYSTEM INTERFACE ${OPENCV_INCLUDE_DIR})
target_link_libraries(gpueval_opencv INTERFACE ${OPENCV_CORE_LIBRARY} ${OPENCV_IMGPROC_LIBRARY})

find_path(DNNL_INCLUDE_DIR dnnl.hpp REQUIRED)
find_library(DNNL_LIBRARY dnnl REQUIRED)
add_library(gpueval_dnnl INTERFACE)
target_include_directories(gpueval_dnnl SYSTEM INTERFACE ${DNNL_INCLUDE_DIR})
target_link_libraries(gpueval_dnnl INTERFACE ${DNNL_LIBRARY})

# The ONNX schema, compiled here: the lite runtime of protobuf is all that is linked.
find_package(Protobuf REQUIRED)
find_file(ONNX_PROTO onnx/onnx.proto REQUIRED)
cmake_path(GET ONNX_PROTO PARENT_PATH ONNX_PROTO_FOLDER)
set(ONNX_GENERATED ${CMAKE_BINARY_DIR}/onnx_schema)
file(MAKE_DIRECTORY ${ONNX_GENERATED})
add_custom_command(OUTPUT ${ONNX_GENERATED}/onnx.pb.cc ${ONNX_GENERATED}/onnx.pb.h
  COMMAND protobuf::protoc --cpp_out=lite:${ONNX_GENERATED} -I ${ONNX_PROTO_FOLDER} ${ONNX_PROTO}
  DEPENDS ${ONNX_PROTO} VERBATIM)
add_library(gpueval_onnx_schema STATIC ${ONNX_GENERATED}/onnx.pb.cc)
target_include_directories(gpueval_onnx_schema SYSTEM PUBLIC ${ONNX_GENERATED})
target_link_libraries(gpueval_onnx_schema PUBLIC protobuf::libprotobuf-lite)

# Without them the product still builds.
if(GPUEVAL_TESTS)
  find_package(GTest QUIET)
  if(NOT GTest_FOUND)
    message(STATUS "GoogleTest not found: the tests are not built (scripts/install_dependencies.sh --tests installs it)")
    set(GPUEVAL_TESTS OFF)
  endif()
endif()
if(GPUEVAL_BENCH)
  find_package(benchmark QUIET)
  if(NOT benchmark_FOUND)
    message(STATUS "Google Benchmark not found: gpu_bench is not built (scripts/install_dependencies.sh --tests installs it)")
    set(GPUEVAL_BENCH OFF)
  endif()
endif()
