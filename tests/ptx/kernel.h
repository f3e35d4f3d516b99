// SPDX-License-Identifier: Apache-2.0
// A kernel ready to run: instructions whose operands are rows of a warp's register file, one value a lane. Immediates,
// addresses of parameters and special registers are rows too, filled once, so that no instruction asks what its operand
// is. A predicate is one word, a bit a lane.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gpueval::ptx {

class Warp;
struct Instruction;
using Execute = void (*)(Warp& warp, const Instruction& instruction);

enum class Flow : std::uint8_t { kNext, kBranch, kExit, kBarrier };

inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

// An integer of one type and size made one of another, in a register that may be wider.
struct Conversion {
  std::uint8_t from_bits = 0, to_bits = 0, register_bits = 0;
  bool from_signed = false, to_signed = false;
};

struct Instruction {
  Flow flow = Flow::kNext;
  bool negated = false;                 // of the guard
  std::uint32_t guard = kNone;          // a predicate
  Execute execute = nullptr;            // of Flow::kNext
  std::array<std::uint32_t, 14> row{};  // operands in the order of the text: offsets of rows, numbers of predicates
  std::int64_t number = 0;              // an address's displacement, or what else the instruction says
  std::uint8_t count = 1;               // of a vector's elements
  Conversion conversion;
  std::uint32_t target = 0, reconverge = 0;  // of a branch
  std::uint32_t statement = 0;               // in Kernel::text
  std::uint32_t more = 0;                    // rows too many for `row`, in Kernel::more, or kNone
};

enum class Special : std::uint8_t { kThread, kBlock, kThreads, kBlocks, kLane };

struct Kernel {
  struct Constant {
    std::uint32_t row;
    int bits;
    std::uint64_t value;
  };
  struct SpecialRow {
    std::uint32_t row;
    Special what;
    int axis;  // 0 x, 1 y, 2 z
  };
  struct Source {
    int line;
    std::string text;
  };

  std::uint64_t serial = 0;  // no two that were ever decoded have the same
  std::string file, name;
  std::size_t parameter_bytes = 0;
  std::uint32_t max_threads = 0;
  std::size_t register_bytes = 0;  // of a warp
  std::size_t predicates = 0;
  std::vector<Instruction> code;
  std::vector<std::uint32_t> more;
  std::vector<Source> text;
  std::vector<Constant> constants;
  std::vector<SpecialRow> specials;
};

}  // namespace gpueval::ptx
