// SPDX-License-Identifier: Apache-2.0
// Tables, slopes and operations of two tensors, of s8 and u8 alike.
#pragma once

#include <cstdint>
#include <span>

#include "cpu/int8/int8_ops.h"
#include "gpueval/graph.h"

namespace gpueval::cpu {

// table[byte]; 256 of them.
void lookup(const QuantView& src, std::span<const std::uint8_t> table, const QuantView& dst);

// v = fmaf(q, q < 0 ? b[i] : m[i], 0); clamp to dst's range; rint. i: the channel or, where there are as many, the
// element of an image.
void prelu(const QuantView& src, std::span<const float> m, std::span<const float> b, const QuantView& dst);

// Product: v = fmaf(q1 * q2, m1, dst's zero point), q less the source's; sum and difference: fmaf(q1, m1, +-fmaf(q2,
// m2, 0)); larger and smaller: of the two fmaf(q, m, 0). Clamp to dst's range; rint. Where an extent of a source is 1,
// it is repeated to dst's.
void binary(BinaryKind kind, const QuantView& a, float m1, const QuantView& b, float m2, const QuantView& dst);

}  // namespace gpueval::cpu
