// SPDX-License-Identifier: Apache-2.0
// The calls a data pickle may hold, carried out without running anything: how protocol 2 stores bytes
// (_codecs.encode(text, "latin1")) and how numpy stores scalars and arrays.
#include <algorithm>
#include <array>
#include <string_view>

#include "gpueval/error.h"
#include "io/data/pickle_machine.h"

namespace gpueval::data {
namespace {

struct GlobalRow {
  const char* module;
  const char* name;
  Global global;
};
// numpy 2 renamed numpy.core to numpy._core. _frombuffer is how protocol 5 stores an array.
constexpr std::array<GlobalRow, 13> kGlobals = {{
    {"_codecs", "encode", Global::kCodecsEncode},
    {"numpy", "dtype", Global::kDtype},
    {"numpy", "ndarray", Global::kNdArray},
    {"numpy.core.multiarray", "dtype", Global::kDtype},
    {"numpy.core.multiarray", "ndarray", Global::kNdArray},
    {"numpy.core.multiarray", "scalar", Global::kScalar},
    {"numpy.core.multiarray", "_reconstruct", Global::kReconstruct},
    {"numpy.core.numeric", "_frombuffer", Global::kFromBuffer},
    {"numpy._core.multiarray", "dtype", Global::kDtype},
    {"numpy._core.multiarray", "ndarray", Global::kNdArray},
    {"numpy._core.multiarray", "scalar", Global::kScalar},
    {"numpy._core.multiarray", "_reconstruct", Global::kReconstruct},
    {"numpy._core.numeric", "_frombuffer", Global::kFromBuffer},
}};

constexpr std::size_t kMaxRank = 32;  // numpy's own limit

// Names come from the file: control characters must not reach a terminal.
std::string printable(const std::string& text) {
  std::string result = text;
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return result;
}

bool is_bytes(const Value& value) { return value.kind == Kind::kBytes || value.kind == Kind::kLatin1String; }

}  // namespace

Value PickleMachine::global(const std::string& module, const std::string& name) const {
  const auto row = std::find_if(kGlobals.begin(), kGlobals.end(),
                                [&](const GlobalRow& r) { return module == r.module && name == r.name; });
  if (row == kGlobals.end()) {
    fail(
        "{}: refused: the pickle asks for '{}.{}' at byte {}; a data set needs numbers, byte strings and numpy arrays "
        "only",
        source_.name(), printable(module), printable(name), opcode_at_);
  }
  return {Kind::kGlobal, static_cast<std::int64_t>(row->global), 0};
}

Value PickleMachine::call(Global function, const std::vector<Value>& args) {
  switch (function) {
    case Global::kCodecsEncode:
      return call_encode(args);
    case Global::kDtype:
      return call_dtype(args);
    case Global::kScalar:
      return call_scalar(args);
    case Global::kFromBuffer:
      return call_from_buffer(args);
    case Global::kReconstruct:
      if (args.size() != 3 || args[0].kind != Kind::kGlobal || static_cast<Global>(args[0].a) != Global::kNdArray) {
        broken("a numpy array of an unknown class");
      }
      arrays_.emplace_back();
      return {Kind::kArray, static_cast<std::int64_t>(arrays_.size() - 1), 0};
    case Global::kNdArray:
      break;
  }
  fail("{}: refused: the pickle calls 'numpy.ndarray' at byte {}", source_.name(), opcode_at_);
}

Value PickleMachine::call_encode(const std::vector<Value>& args) {
  if (args.size() != 2 || args[0].kind != Kind::kString) broken("_codecs.encode of no string");
  const std::string encoding = text(args[1]);
  if (encoding != "latin1" && encoding != "latin-1")
    broken("_codecs.encode to '" + printable(encoding) + "', expected 'latin1'");
  return {Kind::kLatin1String, args[0].a, args[0].b};
}

Value PickleMachine::call_dtype(const std::vector<Value>& args) {
  if (args.empty()) broken("a numpy dtype without a name");
  const std::string name = text(args[0]);
  Dtype dtype;
  std::size_t at = 0;
  if (at < name.size() && std::string_view("<>|=").find(name[at]) != std::string_view::npos) {
    dtype.big_endian = name[at++] == '>';
  }
  if (at < name.size()) dtype.kind = name[at++];
  constexpr std::uint32_t kMaxSize = 1u << 28;
  for (; at < name.size(); ++at) {
    if (name[at] < '0' || name[at] > '9' || dtype.size > kMaxSize)
      broken("an unknown numpy dtype '" + printable(name) + "'");
    dtype.size = dtype.size * 10 + static_cast<std::uint32_t>(name[at] - '0');
  }
  if (dtype.kind == 0 || std::string_view("?biufcmMOSUV").find(dtype.kind) == std::string_view::npos) {
    broken("an unknown numpy dtype '" + printable(name) + "'");
  }
  if (dtype.kind == 'O') dtype.size = 8;
  dtypes_.push_back(dtype);
  return {Kind::kDtype, static_cast<std::int64_t>(dtypes_.size() - 1), 0};
}

const Dtype& PickleMachine::dtype(const Value& value) const {
  if (value.kind != Kind::kDtype) broken(fmt::format("expected a numpy dtype, found {}", to_string(value.kind)));
  return dtypes_[static_cast<std::size_t>(value.a)];
}

std::int64_t PickleMachine::integer(std::span<const std::uint8_t> raw, const Dtype& type) const {
  const std::size_t size = type.size;
  const bool integral = type.kind == 'i' || type.kind == 'u' || type.kind == 'b';
  if (!integral || size == 0 || size > 8 || raw.size() != size) broken("a numpy integer of an unknown form");
  const auto byte = [&](std::size_t i) { return raw[type.big_endian ? i : size - 1 - i]; };  // most significant first
  std::uint64_t value = type.kind == 'i' && (byte(0) & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (std::size_t i = 0; i < size; ++i) value = (value << 8) | byte(i);
  if (type.kind == 'u' && (value >> 63) != 0) broken("an unsigned integer beyond 63 bits");
  return static_cast<std::int64_t>(value);
}

Value PickleMachine::call_scalar(const std::vector<Value>& args) {
  if (args.size() != 2) broken("a numpy scalar without its value");
  const Dtype& type = dtype(args[0]);
  if (!is_bytes(args[1])) broken("a numpy scalar without its bytes");
  if (type.kind == 'S') return args[1];
  if (type.kind != 'i' && type.kind != 'u' && type.kind != 'b') return {Kind::kOtherNumber, 0, 0};
  if (args[1].length() > 16) broken("a numpy integer of more than 16 bytes");
  return {type.kind == 'b' ? Kind::kBool : Kind::kInt, integer(bytes(args[1]), type), 0};
}

Value PickleMachine::call_from_buffer(const std::vector<Value>& args) {
  if (args.size() < 3 || !is_bytes(args[0])) broken("a numpy array without its bytes");
  arrays_.push_back({dtype(args[1]), shape(args[2]), args[0]});
  return {Kind::kArray, static_cast<std::int64_t>(arrays_.size() - 1), 0};
}

std::vector<std::int64_t> PickleMachine::shape(const Value& value) const {
  if (value.kind != Kind::kTuple || list(value).size() > kMaxRank) broken("a numpy array without a shape");
  std::vector<std::int64_t> result;
  for (const Value& extent : list(value)) {
    if (extent.kind != Kind::kInt || extent.a < 0) broken("a numpy array without a shape");
    result.push_back(extent.a);
  }
  return result;
}

void PickleMachine::build(const Value& object, const Value& state) {
  const auto index = static_cast<std::size_t>(object.a);
  if (object.kind == Kind::kDtype && state.kind == Kind::kTuple) return build_dtype(dtypes_[index], list(state));
  if (object.kind == Kind::kArray && state.kind == Kind::kTuple) return build_array(arrays_[index], list(state));
  fail("{}: refused: the pickle would set the state of {} at byte {}", source_.name(), to_string(object.kind),
       opcode_at_);
}

// (version, byte order, subdtype, names, fields, item size, alignment, flags)
void PickleMachine::build_dtype(Dtype& dtype, const std::vector<Value>& state) {
  if (state.size() < 5) broken("an unknown state of a numpy dtype");
  const std::string order = text(state[1]);
  if (order != "<" && order != ">" && order != "|" && order != "=") broken("an unknown byte order of a numpy dtype");
  for (std::size_t i = 2; i < 5; ++i) {
    if (state[i].kind != Kind::kNone) broken("a numpy array of records");
  }
  dtype.big_endian = order == ">";
}

// (version, shape, dtype, is Fortran order, bytes or list of objects)
void PickleMachine::build_array(NdArray& array, const std::vector<Value>& state) {
  if (state.size() != 5) broken("an unknown state of a numpy array");
  if (!is_bytes(state[4]) && state[4].kind != Kind::kList) broken("a numpy array without its bytes");
  array = {dtype(state[2]), shape(state[1]), state[4]};
}

}  // namespace gpueval::data
