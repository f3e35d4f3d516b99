// SPDX-License-Identifier: Apache-2.0
// Every kernel source is compiled twice: by nvcc for the GPU (namespace gpueval::gpu) and by the host compiler for the
// emulator of src/emulator/ (namespace gpueval::emu). The headers of cuda/prim/ are the only place where the two
// differ.
//
//   namespace gpueval::GPUEVAL_TARGET {
//   struct FillParams { int* dst; int n; };
//   GPUEVAL_KERNEL(256) fill(const FillParams p) {
//     const int i = static_cast<int>(block_index().x) * 256 + static_cast<int>(thread_index().x);
//     if (i < p.n) p.dst[i] = i;
//   }
//   }
//
// Rules: a kernel takes one parameter struct by value; launches go through launch() (cuda/runtime/launch.h); shared
// memory is one dynamic arena addressed by 32-bit offsets (shared.h); no static __shared__, no inline PTX outside here.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__CUDACC__)
#define GPUEVAL_TARGET gpu
#define GPUEVAL_DEVICE __device__ __forceinline__
#define GPUEVAL_HOST_DEVICE __host__ __device__ __forceinline__
// Threads of a block; optionally, how many blocks a multiprocessor must have registers for.
#define GPUEVAL_KERNEL(...) __global__ void __launch_bounds__(__VA_ARGS__)
// Before the type of a parameter whose address the kernel needs (a tensor map's): it stays where it is.
#define GPUEVAL_GRID_CONSTANT __grid_constant__
#define GPUEVAL_UNROLL _Pragma("unroll")
#define GPUEVAL_NO_UNROLL _Pragma("unroll 1")  // where unrolled copies would ask for too many registers
// True where the code being compiled may use instructions of that compute capability. On the host side of nvcc: true.
#if defined(__CUDA_ARCH__)
#define GPUEVAL_HAS_SM(version) (__CUDA_ARCH__ >= (version)*10)
#else
#define GPUEVAL_HAS_SM(version) 1
#endif
#else
#define GPUEVAL_TARGET emu
#define GPUEVAL_DEVICE inline
#define GPUEVAL_HOST_DEVICE inline
#define GPUEVAL_KERNEL(...) void
#define GPUEVAL_GRID_CONSTANT
#define GPUEVAL_UNROLL
#define GPUEVAL_NO_UNROLL
#define GPUEVAL_HAS_SM(version) 1
#endif
