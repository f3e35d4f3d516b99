// SPDX-License-Identifier: Apache-2.0
// The rows of kernels.inc and the operations of ops.h, as compiled for the GPU and for the emulator.
#pragma once

#include <span>

#include "cuda/conv/conv_kernel.h"
#include "cuda/ops/ops.h"
#include "cuda/runtime/runtime.h"

namespace gpueval::cuda {
// Those compiled for the device behind `runtime`.
std::span<const ConvKernel> conv_kernels_of(const Runtime& runtime);
const Ops& ops_of(const Runtime& runtime);
}  // namespace gpueval::cuda

namespace gpueval::emu {
std::span<const cuda::ConvKernel> conv_kernels();
const cuda::Ops& ops();
}  // namespace gpueval::emu

namespace gpueval::gpu {
std::span<const cuda::ConvKernel> conv_kernels();
const cuda::Ops& ops();
}  // namespace gpueval::gpu
