// SPDX-License-Identifier: Apache-2.0
// A function of plain values made an instruction: Lift<add<std::int32_t>>::decode reads three 32-bit operands.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "ptx/decoder.h"
#include "ptx/warp.h"

namespace gpueval::ptx {

// What a lane's register of that type is stored in; smaller ones have zeros above.
template <typename V>
using Slot = std::conditional_t<sizeof(V) == 8, std::uint64_t, std::uint32_t>;

template <typename V>
V from_slot(Slot<V> slot) {
  if constexpr (std::is_floating_point_v<V>) {
    return std::bit_cast<V>(slot);
  } else {
    return static_cast<V>(slot);
  }
}
template <typename V>
Slot<V> to_slot(V value) {
  if constexpr (std::is_floating_point_v<V>) {
    return std::bit_cast<Slot<V>>(value);
  } else {
    return static_cast<std::make_unsigned_t<V>>(value);
  }
}

template <auto kFunction>
struct Lift;

template <typename D, typename... S, D (*kFunction)(S...)>
struct Lift<kFunction> {
  static void decode(Decoder& decoder, Instruction& out) {
    decoder.expect_operands(1 + sizeof...(S), 1 + sizeof...(S));
    out.row[0] = decoder.row(decoder.operand(0), 8 * sizeof(D));
    std::size_t i = 1;
    ((out.row[i] = decoder.row(decoder.operand(i), 8 * sizeof(S)), ++i), ...);
    out.execute = execute;
  }
  static void execute(Warp& warp, const Instruction& instruction) {
    run(warp, instruction, std::index_sequence_for<S...>());
  }

 private:
  template <std::size_t... kIndex>
  static void run(Warp& warp, const Instruction& instruction, std::index_sequence<kIndex...>) {
    auto* const dst = warp.row<Slot<D>>(instruction.row[0]);
    warp.each_lane([&](unsigned lane) {
      dst[lane] = to_slot<D>(kFunction(from_slot<S>(warp.row<Slot<S>>(instruction.row[kIndex + 1])[lane])...));
    });
  }
};

// Calls f(T{}) with the C++ type of an integer or float type; false: there is none.
template <typename F>
bool with_type(const Type& type, F&& f) {
  const bool is_signed = type.is_signed();
  if (type.kind == 'f') {
    if (type.bits != 32 && type.bits != 64) return false;
    type.bits == 32 ? f(float{}) : f(double{});
  } else if (type.bits == 16) {
    is_signed ? f(std::int16_t{}) : f(std::uint16_t{});
  } else if (type.bits == 32) {
    is_signed ? f(std::int32_t{}) : f(std::uint32_t{});
  } else if (type.bits == 64) {
    is_signed ? f(std::int64_t{}) : f(std::uint64_t{});
  } else {
    return false;
  }
  return true;
}

}  // namespace gpueval::ptx
