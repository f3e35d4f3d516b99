// SPDX-License-Identifier: Apache-2.0
// The device operations that are not integer convolutions. Exact, as src/cpu/int8/int8_ops.h has them; float32 ones are
// plain and portable (cuDNN and cuBLAS have the fast ones, cuda/library/). One file an operation family in cuda/ops/.
#pragma once

#include <cstdint>

#include "cuda/ops/detector.h"
#include "cuda/runtime/stream.h"
#include "gpueval/conv_desc.h"
#include "gpueval/graph.h"
#include "gpueval/tensor.h"
#include "graph/moves.h"

namespace gpueval::cuda {

struct ConvProblem;  // cuda/conv/conv_kernel.h
struct ConvArgs;

// A device tensor, or a channel slice of one: NHWC, pitch in elements.
struct DeviceView {
  void* data = nullptr;
  DType dtype = DType::kU8;
  Shape shape;  // n = images
  std::int64_t pitch = 0;
  int zero_point = 0;  // of sources and results of averages and products
};

// The operations of ops.inc.
struct Ops {
#define GPUEVAL_DEVICE_OP(NAME, ...) void (*NAME)(__VA_ARGS__);
#include "cuda/ops/ops.inc"
};

}  // namespace gpueval::cuda
