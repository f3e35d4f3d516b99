// SPDX-License-Identifier: Apache-2.0
// Moves and choices: mov, cvta, selp.
#include "ptx/families.h"
#include "ptx/lanes.h"

namespace gpueval::ptx {
namespace {

template <typename T>
T same(T a) {
  return a;
}

// mov.b32 %r1, {%rs1, %rs2} and back; elements are 16 bits of 32, or 32 of 64.
template <typename Whole, int kBits>
void pack(Warp& warp, const Instruction& i) {
  warp.each_lane([&](unsigned lane) {
    Whole value = 0;
    for (unsigned e = 0; e < i.count; ++e) {
      value |= static_cast<Whole>(Whole{warp.row<std::uint32_t>(i.row[e + 1])[lane]} << kBits * e);
    }
    warp.row<Whole>(i.row[0])[lane] = value;
  });
}
template <typename Whole, int kBits>
void unpack(Warp& warp, const Instruction& i) {
  constexpr Whole kMask = static_cast<Whole>((std::uint64_t{1} << kBits) - 1);
  warp.each_lane([&](unsigned lane) {
    const Whole value = warp.row<Whole>(i.row[0])[lane];
    for (unsigned e = 0; e < i.count; ++e) {
      if (i.row[e + 1] != kNone) warp.row<std::uint32_t>(i.row[e + 1])[lane] = value >> kBits * e & kMask;
    }
  });
}

template <typename Whole, int kBits>
void decode_vector_move(Decoder& decoder, Instruction& out) {
  const bool packs = decoder.operand(1).front() == '{';
  const auto elements = decoder.elements(decoder.operand(packs ? 1 : 0));
  if (elements.size() * kBits != 8 * sizeof(Whole)) decoder.fail_here("a vector of another size");
  out.count = static_cast<std::uint8_t>(elements.size());
  out.row[0] = decoder.row(decoder.operand(packs ? 0 : 1), 8 * sizeof(Whole));
  for (std::size_t e = 0; e < elements.size(); ++e) {
    out.row[e + 1] = elements[e] == "_" ? kNone : decoder.row(elements[e], kBits);
  }
  out.execute = packs ? pack<Whole, kBits> : unpack<Whole, kBits>;
}

void move_predicate(Warp& warp, const Instruction& i) {
  warp.set_predicate(i.row[0], i.row[1] == kNone ? (i.number != 0 ? kAllLanes : 0) : warp.predicate(i.row[1]));
}

template <typename T>
void select(Warp& warp, const Instruction& i) {
  auto* const dst = warp.row<Slot<T>>(i.row[0]);
  const auto* const a = warp.row<Slot<T>>(i.row[1]);
  const auto* const b = warp.row<Slot<T>>(i.row[2]);
  const std::uint32_t chosen = warp.predicate(i.row[3]);
  warp.each_lane([&](unsigned lane) { dst[lane] = (chosen >> lane & 1) != 0 ? a[lane] : b[lane]; });
}

}  // namespace

void decode_mov(Decoder& decoder, Instruction& out) {
  const Type type = decoder.take_type();
  decoder.expect_operands(2, 2);
  if (decoder.operand(0).front() == '{' || decoder.operand(1).front() == '{') {
    if (type.bits == 32) return decode_vector_move<std::uint32_t, 16>(decoder, out);
    if (type.bits == 64) return decode_vector_move<std::uint64_t, 32>(decoder, out);
    decoder.fail_here("a vector of another size");
  }
  if (type.kind == 'p') {
    const bool is_register = decoder.is_register(decoder.operand(1));
    out.row[0] = decoder.predicate(decoder.operand(0));
    out.row[1] = is_register ? decoder.predicate(decoder.operand(1)) : kNone;
    if (!is_register) out.number = static_cast<std::int64_t>(decoder.immediate(decoder.operand(1)));
    out.execute = move_predicate;
    return;
  }
  if (type.bits == 16) return Lift<same<std::uint16_t>>::decode(decoder, out);
  if (type.bits == 32) return Lift<same<std::uint32_t>>::decode(decoder, out);
  if (type.bits == 64) return Lift<same<std::uint64_t>>::decode(decoder, out);
  decoder.fail_here("a type that is not known");
}

// Global addresses are generic ones here, and those of parameters, which are smaller than any of them; no generic
// address is one of shared memory.
void decode_cvta(Decoder& decoder, Instruction& out) {
  static_cast<void>(decoder.take("to"));
  if (!decoder.take("global") && !decoder.take("param")) decoder.fail_here("a state space that is not known");
  if (decoder.take_type().bits != 64) decoder.fail_here("an address of another size");
  Lift<same<std::uint64_t>>::decode(decoder, out);
}

void decode_selp(Decoder& decoder, Instruction& out) {
  const Type type = decoder.take_type();
  decoder.expect_operands(4, 4);
  for (std::size_t i = 0; i < 3; ++i) out.row[i] = decoder.row(decoder.operand(i), type.bits);
  out.row[3] = decoder.predicate(decoder.operand(3));
  out.execute = type.bits == 64 ? select<std::uint64_t> : select<std::uint32_t>;
}

}  // namespace gpueval::ptx
