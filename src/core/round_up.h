// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

namespace gpueval {

// How many units, each at least 1, value, at least 0, takes.
template <typename Value, typename Unit>
constexpr auto ceil_div(Value value, Unit unit) {
  return (value + unit - 1) / unit;
}

// The least multiple of unit that is not below value.
template <typename Integer>
constexpr Integer round_up(Integer value, std::type_identity_t<Integer> unit) {
  return ceil_div(value, unit) * unit;
}

}  // namespace gpueval
