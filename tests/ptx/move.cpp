// SPDX-License-Identifier: Apache-2.0
// Moves, comparisons and choices: mov, cvta, selp, setp, and the logic of predicates.
#include <bit>
#include <cmath>

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

void set_predicate(Warp& warp, const Instruction& i, std::uint32_t bits) {
  std::uint32_t& dst = warp.predicate(i.row[0]);
  dst = (dst & ~warp.active) | (bits & warp.active);
}

void move_predicate(Warp& warp, const Instruction& i) {
  set_predicate(warp, i, i.row[1] == kNone ? (i.number != 0 ? kAllLanes : 0) : warp.predicate(i.row[1]));
}

// ---- setp: comparisons, then how the result joins another predicate

enum class Compare : std::uint8_t { kEq, kNe, kLt, kLe, kGt, kGe, kOrdered };

// unordered: the result where one is a NaN.
template <typename T, Compare kCompare, bool kUnordered>
bool compare(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) return kUnordered;
  }
  switch (kCompare) {
    case Compare::kEq:
      return a == b;
    case Compare::kNe:
      return a != b;
    case Compare::kLt:
      return a < b;
    case Compare::kLe:
      return a <= b;
    case Compare::kGt:
      return a > b;
    case Compare::kGe:
      return a >= b;
    default:
      return !kUnordered;
  }
}

template <typename T, Compare kCompare, bool kUnordered>
void set_if(Warp& warp, const Instruction& i) {
  const auto* const a = warp.row<Slot<T>>(i.row[1]);
  const auto* const b = warp.row<Slot<T>>(i.row[2]);
  std::uint32_t bits = 0;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    bits |= std::uint32_t{compare<T, kCompare, kUnordered>(from_slot<T>(a[lane]), from_slot<T>(b[lane]))} << lane;
  }
  if (i.row[3] != kNone) {  // number: '&' and, '|' or, '^' xor
    const std::uint32_t other = warp.predicate(i.row[3]);
    bits = i.number == '&' ? bits & other : i.number == '|' ? bits | other : bits ^ other;
  }
  set_predicate(warp, i, bits);
}

template <typename T, bool kUnordered>
Execute find_compare(std::string_view name) {
  if (name == "eq") return set_if<T, Compare::kEq, kUnordered>;
  if (name == "ne") return set_if<T, Compare::kNe, kUnordered>;
  if (name == "lt") return set_if<T, Compare::kLt, kUnordered>;
  if (name == "le") return set_if<T, Compare::kLe, kUnordered>;
  if (name == "gt") return set_if<T, Compare::kGt, kUnordered>;
  if (name == "ge") return set_if<T, Compare::kGe, kUnordered>;
  return nullptr;
}

// Unsigned comparisons also have the names lo, ls, hi, hs; float ones an u behind where NaNs give true.
template <typename T>
Execute find_compare_of(std::string_view name) {
  if constexpr (std::is_floating_point_v<T>) {
    if (name == "num") return set_if<T, Compare::kOrdered, false>;
    if (name == "nan") return set_if<T, Compare::kOrdered, true>;
    if (name.size() == 3 && name[2] == 'u') return find_compare<T, true>(name.substr(0, 2));
    return find_compare<T, false>(name);
  } else {
    if (std::is_unsigned_v<T>) {
      name = name == "lo" ? "lt" : name == "ls" ? "le" : name == "hi" ? "gt" : name == "hs" ? "ge" : name;
    }
    return find_compare<T, false>(name);
  }
}

template <typename T>
void select(Warp& warp, const Instruction& i) {
  auto* const dst = warp.row<Slot<T>>(i.row[0]);
  const auto* const a = warp.row<Slot<T>>(i.row[1]);
  const auto* const b = warp.row<Slot<T>>(i.row[2]);
  const std::uint32_t chosen = warp.predicate(i.row[3]);
  warp.each_lane([&](unsigned lane) { dst[lane] = (chosen >> lane & 1) != 0 ? a[lane] : b[lane]; });
}

template <char kOp>
void logic(Warp& warp, const Instruction& i) {
  const std::uint32_t a = warp.predicate(i.row[1]);
  const std::uint32_t b = kOp == '~' ? 0 : warp.predicate(i.row[2]);
  set_predicate(warp, i, kOp == '&' ? a & b : kOp == '|' ? a | b : kOp == '^' ? a ^ b : ~a);
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

// Global addresses are generic ones here; no generic address is one of shared memory.
void decode_cvta(Decoder& decoder, Instruction& out) {
  static_cast<void>(decoder.take("to"));
  if (!decoder.take("global")) decoder.fail_here("a state space that is not known");
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

void decode_setp(Decoder& decoder, Instruction& out) {
  const std::string_view name = decoder.take_any();
  out.number = decoder.take("and") ? '&' : decoder.take("or") ? '|' : decoder.take("xor") ? '^' : 0;
  Type type = decoder.take_type();
  if (type.kind == 'b' && (name == "eq" || name == "ne")) type.kind = 'u';
  const std::size_t operands = out.number != 0 ? 4 : 3;
  decoder.expect_operands(operands, operands);
  out.row[0] = decoder.predicate(decoder.operand(0));
  out.row[1] = decoder.row(decoder.operand(1), type.bits);
  out.row[2] = decoder.row(decoder.operand(2), type.bits);
  out.row[3] = out.number != 0 ? decoder.predicate(decoder.operand(3)) : kNone;
  with_type(type, [&](auto t) { out.execute = find_compare_of<decltype(t)>(name); });
  if (out.execute == nullptr) decoder.fail_here("a comparison that is not known");
}

Decode find_logic(std::string_view name) {
  static constexpr auto kDecode = []<char kOp>(Decoder& decoder, Instruction& out) {
    constexpr std::size_t kOperands = kOp == '~' ? 2 : 3;
    decoder.expect_operands(kOperands, kOperands);
    for (std::size_t i = 0; i < kOperands; ++i) out.row[i] = decoder.predicate(decoder.operand(i));
    out.execute = logic<kOp>;
  };
  if (name == "and.pred") return [](Decoder& d, Instruction& out) { kDecode.operator()<'&'>(d, out); };
  if (name == "or.pred") return [](Decoder& d, Instruction& out) { kDecode.operator()<'|'>(d, out); };
  if (name == "xor.pred") return [](Decoder& d, Instruction& out) { kDecode.operator()<'^'>(d, out); };
  if (name == "not.pred") return [](Decoder& d, Instruction& out) { kDecode.operator()<'~'>(d, out); };
  return nullptr;
}

}  // namespace gpueval::ptx
