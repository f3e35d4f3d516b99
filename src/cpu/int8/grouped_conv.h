// SPDX-License-Identifier: Apache-2.0
// A convolution in groups: one of ours for each group, on its channels of the common tensors.
#pragma once

#include <memory>
#include <string>

#include "cpu/int8/int8_conv.h"

namespace gpueval::cpu {

std::unique_ptr<Int8Conv> make_grouped_conv(const Int8ConvParams& params, const std::string& kernel);

}  // namespace gpueval::cpu
