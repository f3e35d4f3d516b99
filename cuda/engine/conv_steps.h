// SPDX-License-Identifier: Apache-2.0
// Steps of convolutions and dense layers.
#pragma once

#include <memory>

#include "cuda/engine/step.h"

namespace gpueval::cuda {

std::unique_ptr<Step> make_int8_conv(const StepContext& context);        // static integer
std::unique_ptr<Step> make_dynamic_conv(const StepContext& context);     // the `reference` scheme's
std::unique_ptr<Step> make_float_conv_step(const StepContext& context);  // float32 and float16

}  // namespace gpueval::cuda
