// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "cpu/int8/int8_ops.h"

namespace gpueval::cpu {

// v = fmaf(q, m[c], b[c]). Integer dst: clamp to [lo, hi], rint. Float32 dst (data, pitch of floats): not below lo.
void affine(const QuantView& src, std::span<const float> m, std::span<const float> b, float lo, float hi,
            const QuantView& dst);

}  // namespace gpueval::cpu
