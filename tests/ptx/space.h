// SPDX-License-Identifier: Apache-2.0
// State spaces, and a lane's address in one, checked.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ptx/decoder.h"
#include "ptx/warp.h"

namespace gpueval::ptx {

enum class Space : std::uint8_t { kParameter, kGlobal, kShared };

inline Space take_space(Decoder& decoder) {
  if (decoder.take("global")) return Space::kGlobal;
  if (decoder.take("shared")) return Space::kShared;
  if (decoder.take("param")) return Space::kParameter;
  decoder.fail_here("a state space that is not known");
}

// Sums wrap as their registers do.
template <typename Address>
std::uint64_t address_of(Address base, const Instruction& i) {
  return static_cast<Address>(base + static_cast<Address>(i.number));
}

template <Space kSpace>
auto place(Warp& warp, std::uint64_t address, std::size_t bytes) {
  if constexpr (kSpace == Space::kParameter) {
    return warp.parameter(address, bytes);
  } else if constexpr (kSpace == Space::kGlobal) {
    return warp.global(address, bytes);
  } else {
    return warp.shared(address, bytes);
  }
}

}  // namespace gpueval::ptx
