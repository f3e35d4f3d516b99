// SPDX-License-Identifier: Apache-2.0
// Predicates: setp compares and joins the result with another predicate; and, or, xor, not.
#include <cmath>

#include "ptx/families.h"
#include "ptx/lanes.h"

namespace gpueval::ptx {
namespace {

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
  warp.set_predicate(i.row[0], bits);
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

template <char kOp>
void logic(Warp& warp, const Instruction& i) {
  const std::uint32_t a = warp.predicate(i.row[1]);
  const std::uint32_t b = kOp == '~' ? 0 : warp.predicate(i.row[2]);
  warp.set_predicate(i.row[0], kOp == '&' ? a & b : kOp == '|' ? a | b : kOp == '^' ? a ^ b : ~a);
}

}  // namespace

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
