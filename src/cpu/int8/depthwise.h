// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution (multiplier 1), any kernel, stride and padding, without copies: kernels work on one output row
// and test borders per column. They know no dilation: a dilated row is several rows without, of every n-th column each.
#pragma once

#include <memory>
#include <string>

#include "cpu/int8/depthwise_row.h"
#include "cpu/int8/int8_conv.h"

namespace gpueval::cpu {

std::unique_ptr<Int8Conv> make_depthwise(const Int8ConvParams& params, const DepthwiseSet& set,
                                         const std::string& name);

}  // namespace gpueval::cpu
