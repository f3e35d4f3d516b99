// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace gpueval::cpu {

// Working memory of the calling thread, kept between calls and grown on demand; contents are undefined. Each use within
// one call has a slot of its own.
enum class ScratchSlot { kSource, kGather, kTable, kScale, kOffsets, kSums, kFloatSource, kFloatSums, kCount };
std::byte* scratch(ScratchSlot slot, std::size_t bytes);

}  // namespace gpueval::cpu
