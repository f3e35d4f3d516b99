// SPDX-License-Identifier: Apache-2.0
// One decode_NAME a family, each defined next to what the instruction does.
#pragma once

#include "ptx/decoder.h"

namespace gpueval::ptx {

#define GPUEVAL_PTX_FAMILY(name) void decode_##name(Decoder& decoder, Instruction& out);
#include "ptx/families.inc"
#undef GPUEVAL_PTX_FAMILY
void decode_proxy_fence(Decoder& decoder, Instruction& out);  // of fence (bulk_copy.cpp)
void decode_bulk_copy(Decoder& decoder, Instruction& out);    // of cp.async

}  // namespace gpueval::ptx
