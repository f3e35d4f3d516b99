// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/int8/int8_conv.h"
#include "cpu/int8/tile.h"

namespace gpueval::cpu {

// The epilogue of a convolution, and whether its outputs before the clamp provably fit an int32 (Epilogue::in_range):
// from the sum of each channel's weights' magnitudes, the largest source value, m, b and the residual.
Epilogue make_epilogue(const Int8ConvParams& params);

// The same for a call whose m is one number found at run time: nothing is known of its range.
Epilogue with_dynamic_scale(Epilogue epilogue);
// That number for each of `count` lanes, in the calling thread's scratch.
const float* dynamic_scales(std::size_t count, float scale);

}  // namespace gpueval::cpu
