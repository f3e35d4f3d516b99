// SPDX-License-Identifier: Apache-2.0
#include "io/data/pickle_machine.h"

#include <algorithm>
#include <array>

#include "gpueval/error.h"
#include "io/data/pickle_opcodes.h"

namespace gpueval::data {
namespace {

// Two operations an image and label are usual, five with numpy scalars: enough for a million images, and with it the
// values, the memo and their containers stay below 1 GiB whatever the file says.
constexpr std::uint64_t kMaxOperations = 6'000'000;
constexpr std::uint64_t kWindowBytes = 4096;  // most reads see one image's header and skip the image
constexpr std::uint64_t kMaxLine = 256;

}  // namespace

std::string to_string(Kind kind) {
  switch (kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return "a bool";
    case Kind::kInt:
      return "an integer";
    case Kind::kOtherNumber:
      return "a number that is no 64-bit integer";
    case Kind::kBytes:
      return "a byte string";
    case Kind::kString:
    case Kind::kLatin1String:
      return "a string";
    case Kind::kList:
      return "a list";
    case Kind::kTuple:
      return "a tuple";
    case Kind::kDict:
      return "a dict";
    case Kind::kGlobal:
      return "a function";
    case Kind::kDtype:
      return "a numpy dtype";
    case Kind::kArray:
      return "a numpy array";
  }
  return "?";
}

void PickleMachine::broken(const std::string& what) const {
  fail("{}: not a usable pickle: {} (byte {})", source_.name(), what, opcode_at_);
}

// ---- input

void PickleMachine::fill(std::uint64_t count) {  // makes [position_, position_ + count) part of the window
  if (position_ >= window_at_ && position_ + count <= window_at_ + window_.size()) return;
  if (count > source_.size() - position_) {
    fail("{}: truncated pickle: ends at byte {} inside the operation at byte {}", source_.name(), source_.size(),
         opcode_at_);
  }
  window_.resize(std::min(std::max(count, kWindowBytes), source_.size() - position_));
  window_at_ = position_;
  source_.read(window_at_, window_);
}

std::uint64_t PickleMachine::number(int bytes) {
  fill(static_cast<std::uint64_t>(bytes));
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    value |= std::uint64_t{window_[position_ - window_at_ + static_cast<std::uint64_t>(i)]} << (8 * i);
  }
  position_ += static_cast<std::uint64_t>(bytes);
  return value;
}

std::int64_t PickleMachine::long_integer(std::uint64_t length, bool* fits) {
  const Value place = span_of(Kind::kBytes, length);
  *fits = length <= 8;
  if (!*fits || length == 0) return 0;
  std::array<std::uint8_t, 8> raw{};
  source_.read(place.offset(), std::span(raw).first(length));
  std::uint64_t value = (raw[length - 1] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (std::uint64_t i = length; i-- > 0;) value = (value << 8) | raw[i];
  return static_cast<std::int64_t>(value);
}

Value PickleMachine::span_of(Kind kind, std::uint64_t length) {
  if (length > source_.size() - position_) {
    fail("{}: truncated pickle: {} of {} bytes at byte {}, but the file ends at byte {}", source_.name(),
         to_string(kind), length, position_, source_.size());
  }
  const Value value{kind, static_cast<std::int64_t>(position_), static_cast<std::int64_t>(length)};
  position_ += length;
  return value;
}

std::string PickleMachine::line() {
  std::string text;
  for (;;) {
    const char c = static_cast<char>(number(1));
    if (c == '\n') return text;
    if (text.size() == kMaxLine) broken("a name of more than 256 bytes");
    text.push_back(c);
  }
}

std::string PickleMachine::text(const Value& value, std::uint64_t limit) const {
  if (value.kind != Kind::kBytes && value.kind != Kind::kString && value.kind != Kind::kLatin1String) {
    broken(fmt::format("expected a string, found {}", to_string(value.kind)));
  }
  if (value.length() > limit) broken(fmt::format("a name of {} bytes", value.length()));
  std::vector<std::uint8_t> raw(value.length());
  source_.read(value.offset(), raw);
  return {raw.begin(), raw.end()};
}

std::vector<std::uint8_t> PickleMachine::bytes(const Value& value) const {
  std::vector<std::uint8_t> raw(value.length());
  source_.read(value.offset(), raw);
  if (value.kind == Kind::kLatin1String && !latin1_from_utf8(raw)) broken("a byte string with characters beyond 255");
  return raw;
}

// ---- stack

void PickleMachine::push(Value value) { stack_.push_back(value); }

void PickleMachine::push_list(Kind kind, std::vector<Value> items) {
  lists_.push_back(std::move(items));
  push({kind, static_cast<std::int64_t>(lists_.size() - 1), 0});
}

Value PickleMachine::pop() {
  const Value value = top();
  stack_.pop_back();
  return value;
}

Value& PickleMachine::top() {
  if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size())) broken("an operation on an empty stack");
  return stack_.back();
}

std::vector<Value> PickleMachine::pop_to_mark() {
  if (marks_.empty()) broken("the end of a group that was not begun");
  const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Value> items(first, stack_.end());
  stack_.erase(first, stack_.end());
  marks_.pop_back();
  return items;
}

std::vector<Value>& PickleMachine::container(const Value& value, Kind kind, const char* opcode) {
  if (value.kind != kind) broken(fmt::format("{} to {} instead of {}", opcode, to_string(value.kind), to_string(kind)));
  return lists_[static_cast<std::size_t>(value.a)];
}

void PickleMachine::memoize(std::uint64_t index, const Value& value) { memo_[index] = value; }

// ---- the program

void PickleMachine::refuse(std::uint8_t opcode) const {
  if (const char* name = op::calling_name(opcode)) {
    fail("{}: refused: the pickle would run code: {} at byte {}", source_.name(), name, opcode_at_);
  }
  fail("{}: not a usable pickle: unknown operation 0x{:02x} at byte {}", source_.name(), opcode, opcode_at_);
}

Value PickleMachine::run() {
  if (source_.size() < 2) fail("{}: expected a pickle, found a file of {} bytes", source_.name(), source_.size());
  if (number(1) != op::kProto)
    fail("{}: not a pickle of protocol 2 to 5 (it does not begin with 0x80)", source_.name());
  const std::uint64_t protocol = number(1);
  if (protocol < 2 || protocol > 5) fail("{}: pickle protocol {}, expected 2 to 5", source_.name(), protocol);
  for (;;) {
    opcode_at_ = position_;
    const auto opcode = static_cast<std::uint8_t>(number(1));
    if (opcode == op::kStop) break;
    if (++operations_ > kMaxOperations) broken(fmt::format("more than {} operations", kMaxOperations));
    if (!step_string(opcode) && !step_memo(opcode) && !step_number(opcode) && !step_container(opcode) &&
        !step_call(opcode)) {
      refuse(opcode);
    }
  }
  return pop();
}

}  // namespace gpueval::data
