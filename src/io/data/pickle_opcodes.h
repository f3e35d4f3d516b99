// SPDX-License-Identifier: Apache-2.0
// Pickle opcodes (Python's Lib/pickletools.py is their specification).
#pragma once

#include <cstdint>
#include <vector>

namespace gpueval::data {

namespace op {

inline constexpr std::uint8_t kMark = '(', kStop = '.', kPop = '0', kPopMark = '1', kDup = '2', kNone = 'N';
inline constexpr std::uint8_t kBinInt = 'J', kBinInt1 = 'K', kBinInt2 = 'M', kBinFloat = 'G';
inline constexpr std::uint8_t kBinString = 'T', kShortBinString = 'U', kBinUnicode = 'X';
inline constexpr std::uint8_t kBinBytes = 'B', kShortBinBytes = 'C';
inline constexpr std::uint8_t kAppend = 'a', kAppends = 'e', kEmptyList = ']', kList = 'l';
inline constexpr std::uint8_t kEmptyTuple = ')', kTuple = 't', kEmptyDict = '}', kDict = 'd', kSetItem = 's',
                              kSetItems = 'u';
inline constexpr std::uint8_t kBinGet = 'h', kLongBinGet = 'j', kBinPut = 'q', kLongBinPut = 'r';
inline constexpr std::uint8_t kGlobal = 'c', kReduce = 'R', kBuild = 'b', kInst = 'i', kObj = 'o';
inline constexpr std::uint8_t kPersId = 'P', kBinPersId = 'Q';
// Protocol 2
inline constexpr std::uint8_t kProto = 0x80, kNewObj = 0x81, kExt1 = 0x82, kExt2 = 0x83, kExt4 = 0x84;
inline constexpr std::uint8_t kTuple1 = 0x85, kTuple2 = 0x86, kTuple3 = 0x87, kNewTrue = 0x88, kNewFalse = 0x89;
inline constexpr std::uint8_t kLong1 = 0x8a, kLong4 = 0x8b;
// Protocol 4
inline constexpr std::uint8_t kShortBinUnicode = 0x8c, kBinUnicode8 = 0x8d, kBinBytes8 = 0x8e, kNewObjEx = 0x92;
inline constexpr std::uint8_t kStackGlobal = 0x93, kMemoize = 0x94, kFrame = 0x95;
// Protocol 5
inline constexpr std::uint8_t kByteArray8 = 0x96;

// Name of an opcode that makes Python call something and that no stored data needs; nullptr for every other.
inline const char* calling_name(std::uint8_t opcode) {
  switch (opcode) {
    case kInst:
      return "INST";
    case kObj:
      return "OBJ";
    case kNewObj:
      return "NEWOBJ";
    case kNewObjEx:
      return "NEWOBJ_EX";
    case kPersId:
      return "PERSID";
    case kBinPersId:
      return "BINPERSID";
    case kExt1:
      return "EXT1";
    case kExt2:
      return "EXT2";
    case kExt4:
      return "EXT4";
    default:
      return nullptr;
  }
}

}  // namespace op

// UTF-8 text of characters below 256 to one byte a character, in place. False for any other text.
inline bool latin1_from_utf8(std::vector<std::uint8_t>& bytes) {
  std::size_t to = 0;
  for (std::size_t from = 0; from < bytes.size(); ++from, ++to) {
    const std::uint8_t lead = bytes[from];
    if (lead < 0x80) {
      bytes[to] = lead;
      continue;
    }
    if ((lead != 0xc2 && lead != 0xc3) || from + 1 == bytes.size() || (bytes[from + 1] & 0xc0) != 0x80) return false;
    bytes[to] = static_cast<std::uint8_t>((lead << 6) | (bytes[++from] & 0x3f));
  }
  bytes.resize(to);
  return true;
}

}  // namespace gpueval::data
