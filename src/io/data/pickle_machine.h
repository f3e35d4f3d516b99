// SPDX-License-Identifier: Apache-2.0
// A pickle is a program for a stack machine. This machine knows the opcodes of protocols 2 to 5 that store data, and
// runs nothing: the only calls it understands are those that numpy and bytes are stored with, and it carries them out
// itself. Everything else is an Error that names what was asked for and at which byte. Strings and byte strings are
// kept as places in the file. No value is walked recursively, and the number of operations is limited, so a hostile
// file can exhaust neither stack nor memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/data/byte_source.h"

namespace gpueval::data {

enum class Kind : std::uint8_t {
  kNone,
  kBool,          // a
  kInt,           // a
  kOtherNumber,   // a float or an integer beyond 64 bits: allowed to exist, never used
  kBytes,         // offset a, length b
  kString,        // offset a, length b: UTF-8
  kLatin1String,  // offset a, length b: UTF-8 text that stands for bytes, one a character (protocol 2)
  kList,          // index a into lists; tuples are lists
  kTuple,
  kDict,    // index a into lists: key, value, key, value, ...
  kGlobal,  // a: Global
  kDtype,   // index a into dtypes
  kArray,   // index a into arrays
};

struct Value {
  Kind kind = Kind::kNone;
  std::int64_t a = 0, b = 0;
  std::uint64_t offset() const { return static_cast<std::uint64_t>(a); }
  std::uint64_t length() const { return static_cast<std::uint64_t>(b); }
};
std::string to_string(Kind kind);  // "an integer", "a list", ...

// numpy.dtype: kind 'i', 'u', 'f', 'b', 'S', 'O' and bytes an element.
struct Dtype {
  char kind = 0;
  std::uint32_t size = 0;
  bool big_endian = false;
};

struct NdArray {
  Dtype dtype;
  std::vector<std::int64_t> shape;
  Value data;  // kBytes, kLatin1String, or kList of an object array; kNone until BUILD
};

enum class Global : std::uint8_t { kCodecsEncode, kDtype, kNdArray, kScalar, kReconstruct, kFromBuffer };

class PickleMachine {
 public:
  explicit PickleMachine(const ByteSource& source) : source_(source) {}

  // Runs the program to its STOP and returns the value it leaves. Throws Error.
  Value run();

  const std::vector<Value>& list(const Value& value) const { return lists_[static_cast<std::size_t>(value.a)]; }
  const NdArray& array(const Value& value) const { return arrays_[static_cast<std::size_t>(value.a)]; }
  // The text or bytes of a short string (at most `limit` bytes; Error if longer).
  std::string text(const Value& value, std::uint64_t limit = 256) const;
  // An integer of `size` bytes stored in numpy's way. Error if it does not fit 64 bits.
  std::int64_t integer(std::span<const std::uint8_t> bytes, const Dtype& dtype) const;
  // The bytes of a kBytes or kLatin1String.
  std::vector<std::uint8_t> bytes(const Value& value) const;

 private:
  [[noreturn]] void broken(const std::string& what) const;
  // Input.
  void fill(std::uint64_t count);
  std::uint64_t number(int bytes);  // little-endian, unsigned
  std::int64_t long_integer(std::uint64_t length, bool* fits);
  Value span_of(Kind kind, std::uint64_t length);
  std::string line();
  // Stack.
  void push(Value value);
  void push_list(Kind kind, std::vector<Value> items);
  Value pop();
  Value& top();
  std::vector<Value> pop_to_mark();
  std::vector<Value>& container(const Value& value, Kind kind, const char* opcode);
  void memoize(std::uint64_t index, const Value& value);
  // Opcodes, by family; each says whether the opcode was one of its own.
  bool step_number(std::uint8_t opcode);
  bool step_string(std::uint8_t opcode);
  bool step_container(std::uint8_t opcode);
  bool step_memo(std::uint8_t opcode);
  bool step_call(std::uint8_t opcode);
  [[noreturn]] void refuse(std::uint8_t opcode) const;
  // Calls (pickle_calls.cpp).
  Value global(const std::string& module, const std::string& name) const;
  Value call(Global function, const std::vector<Value>& args);
  Value call_encode(const std::vector<Value>& args);
  Value call_dtype(const std::vector<Value>& args);
  Value call_scalar(const std::vector<Value>& args);
  Value call_from_buffer(const std::vector<Value>& args);
  void build(const Value& object, const Value& state);
  void build_dtype(Dtype& dtype, const std::vector<Value>& state);
  void build_array(NdArray& array, const std::vector<Value>& state);
  std::vector<std::int64_t> shape(const Value& value) const;
  const Dtype& dtype(const Value& value) const;

  const ByteSource& source_;
  std::uint64_t position_ = 0;   // of the next byte
  std::uint64_t opcode_at_ = 0;  // of the opcode being run
  std::uint64_t operations_ = 0;
  std::vector<std::uint8_t> window_;
  std::uint64_t window_at_ = 0;
  std::vector<Value> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Value> memo_;
  std::vector<std::vector<Value>> lists_;
  std::vector<Dtype> dtypes_;
  std::vector<NdArray> arrays_;
};

}  // namespace gpueval::data
