// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

namespace gpueval {

// The least multiple of unit, at least 1, that is not below value, at least 0.
template <typename Integer>
constexpr Integer round_up(Integer value, std::type_identity_t<Integer> unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace gpueval
