// SPDX-License-Identifier: Apache-2.0
#include "ptx/decoder.h"

#include <algorithm>
#include <atomic>
#include <charconv>

#include "gpueval/error.h"
#include "ptx/control_flow.h"
#include "ptx/families.h"
#include "ptx/warp.h"

namespace gpueval::ptx {
namespace {

Decode find_family(std::string_view opcode) {
#define GPUEVAL_PTX_FAMILY(name) \
  if (opcode == #name) return decode_##name;
#include "ptx/families.inc"
#undef GPUEVAL_PTX_FAMILY
  return nullptr;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += (all.empty() ? "" : ".") + part;
  return all;
}

}  // namespace

void Decoder::fail_here(std::string_view what) const {
  fail("{}:{}: {} in '{}'", function_.file, statement_->line, what, statement_->text);
}

bool Decoder::take(std::string_view modifier) {
  for (std::size_t i = 1; i < taken_.size(); ++i) {
    if (taken_[i] || statement_->name[i] != modifier) continue;
    taken_[i] = true;
    return true;
  }
  return false;
}

std::string_view Decoder::take_any() {
  for (std::size_t i = 1; i < taken_.size(); ++i) {
    if (taken_[i]) continue;
    taken_[i] = true;
    return statement_->name[i];
  }
  fail_here("a modifier is missing");
}

Type Decoder::take_type() {
  const std::string_view text = take_any();
  if (text == "pred") return {.kind = 'p', .bits = 1};
  int bits = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), bits);
  const bool known = bits == 8 || bits == 16 || bits == 32 || bits == 64;
  if (!known || error != std::errc() || end != text.data() + text.size() ||
      std::string_view("usbf").find(text[0]) > 3) {
    fail_here("a type that is not known");
  }
  return {.kind = text[0], .bits = bits};
}

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

void Decoder::branch(Instruction& out) {
  static_cast<void>(take("uni"));
  expect_operands(1, 1);
  const auto label = function_.labels.find(operand(0));
  if (label == function_.labels.end()) fail_here("no such label");
  out.flow = Flow::kBranch;
  out.target = static_cast<std::uint32_t>(label->second);
}

void Decoder::instruction(const Statement& statement) {
  statement_ = &statement;
  taken_.assign(statement.name.size(), false);
  Instruction out;
  out.statement = static_cast<std::uint32_t>(kernel_.text.size());
  kernel_.text.push_back({.line = statement.line, .text = statement.text});
  if (!statement.guard.empty()) {
    out.guard = predicate(statement.guard);
    out.negated = statement.negated;
  }
  const std::string& opcode = statement.name[0];
  const std::string name = joined(statement.name);
  Decode whole = find_scalar(name);
  if (whole == nullptr) whole = find_logic(name);
  if (whole != nullptr) {
    whole(*this, out);
    std::fill(taken_.begin(), taken_.end(), true);
  } else if (opcode == "bra") {
    branch(out);
  } else if (opcode == "ret" || opcode == "exit") {
    out.flow = Flow::kExit;
  } else if (const Decode family = find_family(opcode); family != nullptr) {
    family(*this, out);
  } else {
    fail_here("an instruction that is not known");
  }
  for (std::size_t i = 1; i < taken_.size(); ++i) {
    if (!taken_[i]) fail_here(fmt::format("modifier '.{}' is not known", statement.name[i]));
  }
  kernel_.code.push_back(out);
}

Kernel Decoder::run() {
  static std::atomic<std::uint64_t> decoded = 0;
  kernel_.serial = ++decoded;
  kernel_.file = function_.file;
  kernel_.name = function_.name;
  kernel_.parameter_bytes = function_.parameter_bytes;
  kernel_.max_threads = function_.max_threads;
  for (const Statement& statement : function_.statements) instruction(statement);
  find_reconvergence(kernel_.code);
  return std::move(kernel_);
}

Kernel decode(const Function& function) { return Decoder(function).run(); }

}  // namespace gpueval::ptx
