// SPDX-License-Identifier: Apache-2.0
#include "ptx/decoder.h"

#include <algorithm>
#include <atomic>
#include <charconv>

#include "gpueval/error.h"
#include "ptx/control_flow.h"
#include "ptx/families.h"

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

void Decoder::take_all(std::initializer_list<std::string_view> modifiers) {
  for (const std::string_view modifier : modifiers) {
    if (!take(modifier)) fail_here("a form that is not known");
  }
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
  out.more = static_cast<std::uint32_t>(kernel_.more.size());
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
