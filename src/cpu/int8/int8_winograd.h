// SPDX-License-Identifier: Apache-2.0
// 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3) in whole numbers (winograd_set.h): the bits of every other
// kernel. Its weights take 8 times the bytes.
#pragma once

#include <memory>
#include <string>

#include "cpu/int8/int8_conv.h"
#include "cpu/int8/isa.h"
#include "cpu/int8/winograd_set.h"

namespace gpueval::cpu {

// Whether it computes this convolution, and whether it pays with such instructions: by the shape alone.
bool int8_winograd_fits(const ConvDesc& desc);
bool int8_winograd_pays(const ConvDesc& desc, Isa isa);

std::unique_ptr<Int8Conv> make_int8_winograd(const Int8ConvParams& params, const WinogradSet& set,
                                             const std::string& name);

}  // namespace gpueval::cpu
