// SPDX-License-Identifier: Apache-2.0
// A Function made a Kernel. What an instruction does is found by its whole name ("add.s32"), or for those with many
// forms by its first part ("ld"); a name, modifier, operand or register size that is not known is an Error.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ptx/kernel.h"
#include "ptx/text.h"

namespace gpueval::ptx {

Kernel decode(const Function& function);

struct Type {
  char kind;  // 'u', 's', 'b', 'f', 'p' (predicate)
  int bits;
  bool is_signed() const { return kind == 's'; }
};

struct Address {
  std::uint32_t row;
  int bits;  // of the row
  std::int64_t displacement;
};

// What a family of instructions asks about the statement that it decodes.
class Decoder {
 public:
  explicit Decoder(const Function& function) : function_(function) {}
  Kernel run();

  // ---- the name: each modifier must be taken once
  bool take(std::string_view modifier);
  std::string_view take_any();  // the first one not taken yet
  Type take_type();             // the same, as a type
  void take_all(std::initializer_list<std::string_view> modifiers);
  [[noreturn]] void fail_here(std::string_view what) const;

  // ---- the operands
  const Statement& statement() const { return *statement_; }
  std::size_t operands() const { return statement_->operands.size(); }
  const std::string& operand(std::size_t i) const;
  void expect_operands(std::size_t least, std::size_t most) const;
  // The row of a register or immediate of that size.
  std::uint32_t row(const std::string& operand, int bits);
  // The same for a register that may be wider; its size.
  std::uint32_t wide_row(const std::string& operand, int least_bits, int& bits);
  std::uint32_t predicate(const std::string& operand);  // a register
  Address address(const std::string& operand);
  std::vector<std::string> elements(const std::string& operand) const;  // "{%r1, %r2}"; else the operand alone
  std::uint64_t immediate(const std::string& operand) const;
  bool is_register(const std::string& operand) const { return bits_of(operand) != 0; }
  void add_more(std::uint32_t row) { kernel_.more.push_back(row); }

 private:
  int bits_of(const std::string& name) const;  // 0: no register
  std::uint32_t new_row(const std::string& key, int bits);
  std::uint32_t constant(std::uint64_t value, int bits);
  bool special(const std::string& operand, int bits, std::uint32_t& row);
  void instruction(const Statement& statement);
  void branch(Instruction& out);

  const Function& function_;
  Kernel kernel_;
  const Statement* statement_ = nullptr;
  std::vector<bool> taken_;
  std::unordered_map<std::string, std::uint32_t> rows_, predicates_;
};

using Decode = void (*)(Decoder& decoder, Instruction& out);

// By whole name (scalar.cpp); null: not known.
Decode find_scalar(std::string_view name);
Decode find_logic(std::string_view name);  // and.pred and its like (predicate.cpp)

}  // namespace gpueval::ptx
