// SPDX-License-Identifier: Apache-2.0
// What is timed on a device that runs the kernels of cuda/: our kernels, and on a GPU the libraries' convolutions.
#pragma once

#include <memory>
#include <string>

#include "cuda/conv/conv_kernel.h"
#include "cuda/library/baselines.h"
#include "cuda/runtime/runtime.h"
#include "subject.h"

namespace gpueval::bench {

// The layout that a kernel is given: pitches as the engine's memory plan has them.
cuda::ConvProblem conv_problem(cuda::ConvOp op, const ConvDesc& desc);

std::unique_ptr<Subject> make_kernel_subject(cuda::Runtime& runtime, const cuda::ConvKernel& kernel,
                                             const ConvDesc& desc);
// Throw Unsupported where the library has nothing for the shape or is not there.
std::unique_ptr<Subject> make_library_subject(cuda::Runtime& runtime, const cuda::IntegerBaseline& baseline,
                                              const ConvDesc& desc);
std::unique_ptr<Subject> make_library_subject(cuda::Runtime& runtime, const cuda::FloatBaseline& baseline,
                                              const ConvDesc& desc);

}  // namespace gpueval::bench
