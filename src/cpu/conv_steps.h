// SPDX-License-Identifier: Apache-2.0
// Steps of convolutions and dense layers, and oneDNN's pools.
#pragma once

#include <memory>

#include "cpu/step.h"

namespace gpueval::cpu {

std::unique_ptr<Step> make_onednn_conv(const StepContext& context);        // float32 convolution, depthwise, dense
std::unique_ptr<Step> make_own_float_conv(const StepContext& context);     // nullptr where oneDNN does better
std::unique_ptr<Step> make_int8_conv_step(const StepContext& context);     // static integer convolutions
std::unique_ptr<Step> make_dynamic_conv_step(const StepContext& context);  // the `reference` scheme's

// Float32 maximum or average over a window's real pixels.
std::unique_ptr<Step> make_onednn_pool(const StepContext& context, const Window& window, bool largest);

}  // namespace gpueval::cpu
