// SPDX-License-Identifier: Apache-2.0
// Warp collectives. All lanes of the mask must call together.
#pragma once

#include "cuda/prim/target.h"
#if !defined(__CUDACC__)
#include <bit>

#include "emulator/device.h"
#endif

namespace gpueval::GPUEVAL_TARGET {

inline constexpr unsigned kAllLanes = 0xffffffffu;

#if defined(__CUDACC__)
GPUEVAL_DEVICE int shuffle_xor(int value, int lanes, unsigned mask = kAllLanes) {
  return __shfl_xor_sync(mask, value, lanes);
}
GPUEVAL_DEVICE float shuffle_xor(float value, int lanes, unsigned mask = kAllLanes) {
  return __shfl_xor_sync(mask, value, lanes);
}
GPUEVAL_DEVICE int shuffle(int value, int from_lane, unsigned mask = kAllLanes) {
  return __shfl_sync(mask, value, from_lane);
}
GPUEVAL_DEVICE unsigned ballot(bool predicate, unsigned mask = kAllLanes) { return __ballot_sync(mask, predicate); }
#else
inline int shuffle_xor(int value, int lanes, unsigned mask = kAllLanes) {
  return static_cast<int>(emulator::device::shuffle_xor(mask, static_cast<std::uint32_t>(value), lanes));
}
inline float shuffle_xor(float value, int lanes, unsigned mask = kAllLanes) {
  return std::bit_cast<float>(emulator::device::shuffle_xor(mask, std::bit_cast<std::uint32_t>(value), lanes));
}
inline int shuffle(int value, int from_lane, unsigned mask = kAllLanes) {
  return static_cast<int>(emulator::device::shuffle(mask, static_cast<std::uint32_t>(value), from_lane));
}
inline unsigned ballot(bool predicate, unsigned mask = kAllLanes) { return emulator::device::ballot(mask, predicate); }
#endif

}  // namespace gpueval::GPUEVAL_TARGET
