// SPDX-License-Identifier: Apache-2.0
// A statement's operands: each becomes a row of the register file.
#include <algorithm>
#include <charconv>

#include "gpueval/error.h"
#include "ptx/decoder.h"
#include "ptx/warp.h"

namespace gpueval::ptx {

const std::string& Decoder::operand(std::size_t i) const {
  if (i >= operands()) fail_here("an operand is missing");
  return statement_->operands[i];
}

void Decoder::expect_operands(std::size_t least, std::size_t most) const {
  if (operands() < least || operands() > most) fail_here("an unexpected number of operands");
}

int Decoder::bits_of(const std::string& name) const {
  const auto& registers = function_.register_bits;
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  auto found = registers.find(name.substr(0, digits));
  if (found == registers.end()) found = registers.find(name);  // of inline assembly
  return found == registers.end() ? 0 : found->second;
}

std::uint32_t Decoder::new_row(const std::string& key, int bits) {
  const auto [at, added] = rows_.emplace(key, static_cast<std::uint32_t>(kernel_.register_bytes));
  if (added) kernel_.register_bytes += kLanes * (bits == 64 ? sizeof(std::uint64_t) : sizeof(std::uint32_t));
  return at->second;
}

std::uint32_t Decoder::constant(std::uint64_t value, int bits) {
  if (bits < 64) value &= (std::uint64_t{1} << bits) - 1;
  const std::size_t before = rows_.size();
  const std::uint32_t row = new_row(fmt::format("#{}:{}", bits, value), bits);
  if (rows_.size() > before) kernel_.constants.push_back({.row = row, .bits = bits, .value = value});
  return row;
}

// %tid.x and its like.
bool Decoder::special(const std::string& operand, int bits, std::uint32_t& row) {
  struct Name {
    std::string_view text;
    Special what;
  };
  static constexpr Name kNames[] = {{"%tid", Special::kThread},
                                    {"%ctaid", Special::kBlock},
                                    {"%ntid", Special::kThreads},
                                    {"%nctaid", Special::kBlocks},
                                    {"%laneid", Special::kLane}};
  const std::size_t dot = std::min(operand.find('.'), operand.size());
  for (const Name& name : kNames) {
    if (operand.substr(0, dot) != name.text) continue;
    if (bits != 32) fail_here("a special register of 32 bits is asked for others");
    const std::size_t before = rows_.size();
    row = new_row(operand, bits);
    const int axis = dot < operand.size() ? operand.back() - 'x' : 0;
    if (rows_.size() > before) kernel_.specials.push_back({.row = row, .what = name.what, .axis = axis});
    return true;
  }
  return false;
}

std::uint64_t Decoder::immediate(const std::string& operand) const {
  const bool is_float = operand.size() > 2 && operand[0] == '0' && std::string_view("fFdD").find(operand[1]) < 4;
  const bool is_hex = operand.size() > 2 && operand[0] == '0' && operand[1] == 'x';
  const char* begin = operand.data() + (is_float || is_hex ? 2 : operand[0] == '-' ? 1 : 0);
  const char* const end = operand.data() + operand.size();
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(begin, end, value, is_float || is_hex ? 16 : 10);
  if (error != std::errc() || stop != end) fail_here(fmt::format("operand '{}' is not known", operand));
  return operand[0] == '-' ? 0 - value : value;
}

std::uint32_t Decoder::row(const std::string& operand, int bits) {
  if (const int declared = bits_of(operand); declared != 0) {
    if (declared != bits) fail_here(fmt::format("{} has {} bits, not {}", operand, declared, bits));
    return new_row(operand, bits);
  }
  std::uint32_t found = 0;
  if (special(operand, bits, found)) return found;
  if (const auto parameter = function_.parameters.find(operand); parameter != function_.parameters.end()) {
    return constant(parameter->second.offset, bits);
  }
  if (operand.find("gpueval_shared_arena") != operand.npos) return constant(kSharedBase, bits);
  return constant(immediate(operand), bits);
}

std::uint32_t Decoder::wide_row(const std::string& operand, int least_bits, int& bits) {
  const int declared = bits_of(operand);
  bits = declared != 0 ? declared : std::max(least_bits, 32);
  if (bits < least_bits) fail_here(fmt::format("{} has {} bits, too few", operand, bits));
  return row(operand, bits);
}

std::uint32_t Decoder::predicate(const std::string& operand) {
  if (bits_of(operand) != 1) fail_here(fmt::format("{} is no predicate", operand));
  const auto [at, added] = predicates_.emplace(operand, static_cast<std::uint32_t>(predicates_.size()));
  kernel_.predicates = predicates_.size();
  return at->second;
}

// "[%rd1+8]", "[%r4]", "[kernel_param_0+16]"
Address Decoder::address(const std::string& operand) {
  if (operand.size() < 3 || operand.front() != '[' || operand.back() != ']') fail_here("an address is missing");
  const std::string inner = operand.substr(1, operand.size() - 2);
  const std::size_t plus = std::min(inner.find('+'), inner.size());
  const std::string base(trimmed(inner.substr(0, plus)));
  Address result{.row = 0, .bits = bits_of(base), .displacement = 0};
  if (plus < inner.size()) {
    result.displacement = static_cast<std::int64_t>(immediate(std::string(trimmed(inner.substr(plus + 1)))));
  }
  if (result.bits == 0) result.bits = 64;
  result.row = row(base, result.bits);
  return result;
}

std::vector<std::string> Decoder::elements(const std::string& operand) const {
  if (operand.front() != '{') return {operand};
  std::vector<std::string> all;
  std::string inner = operand.substr(1, operand.size() - 2) + ",";
  for (std::size_t at = 0, end; (end = inner.find(',', at)) != inner.npos; at = end + 1) {
    all.emplace_back(trimmed(std::string_view(inner).substr(at, end - at)));
  }
  return all;
}

}  // namespace gpueval::ptx
