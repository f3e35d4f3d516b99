// SPDX-License-Identifier: Apache-2.0
// The functions behind the rows of ops.inc, for the target that is being compiled.
#pragma once

#include "cuda/ops/ops.h"
#include "cuda/prim/target.h"

namespace gpueval::GPUEVAL_TARGET {

using cuda::BoxEdges;
using cuda::Candidate;
using cuda::ConvArgs;
using cuda::ConvProblem;
using cuda::DetectorPlan;
using cuda::DeviceView;
using cuda::ScoreKey;
using cuda::Stream;

#define GPUEVAL_DEVICE_OP(NAME, ...) void NAME(__VA_ARGS__);
#include "cuda/ops/ops.inc"

}  // namespace gpueval::GPUEVAL_TARGET
