// SPDX-License-Identifier: Apache-2.0
// A warp while it runs: registers, the lanes that take part in the instruction under way, and what it shares with its
// block. Every access of memory is checked.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "ptx/kernel.h"

namespace gpueval::ptx {

class Stages;

inline constexpr unsigned kLanes = 32;
inline constexpr std::uint32_t kAllLanes = 0xffffffffu;
// Where shared memory begins in its own address space: an offset taken for an address is out of bounds.
inline constexpr std::uint32_t kSharedBase = 0x400;

// One asynchronous copy of a lane.
struct Copy {
  std::byte* dst;
  const std::byte* src;
  std::size_t bytes;  // the rest of `size` are zeros
  std::size_t size;
  bool done;
};

class Warp {
 public:
  template <typename T>  // std::uint32_t or std::uint64_t
  T* row(std::uint32_t offset) {
    return reinterpret_cast<T*>(registers_ + offset);
  }
  std::uint32_t predicate(std::uint32_t which) const { return predicates_[which]; }
  // Of the lanes that take part.
  void set_predicate(std::uint32_t which, std::uint32_t bits) {
    predicates_[which] = (predicates_[which] & ~active) | (bits & active);
  }

  // Valid for `bytes` bytes, aligned to them. The address is a lane's.
  std::byte* shared(std::uint64_t address, std::size_t bytes) {
    const std::uint64_t offset = address - kSharedBase;
    if (offset + bytes > shared_bytes || offset > shared_bytes || offset % bytes != 0) fail_shared(address, bytes);
    if (filling) check_filling(offset, bytes);
    return shared_memory + offset;
  }
  std::byte* global(std::uint64_t address, std::size_t bytes) {
    if (address < region_begin_ || address + bytes > region_end_) find_region(address, bytes);
    if (address % bytes != 0) fail_here("misaligned access of global memory");
    return reinterpret_cast<std::byte*>(address);
  }
  std::byte* parameter(std::uint64_t address, std::size_t bytes) {
    if (address + bytes > kernel->parameter_bytes || address % bytes != 0) fail_here("no such parameter");
    return parameters + address;
  }

  // Throws Error "FILE:LINE: WHAT in 'STATEMENT' (kernel K, block (x, y, z), warp w)".
  [[noreturn]] void fail_here(std::string_view what) const;

  void expect_all_lanes() const;

  // Calls f(lane) for the lanes that take part.
  template <typename F>
  void each_lane(F&& f) const {
    if (active == kAllLanes) {
      for (unsigned lane = 0; lane < kLanes; ++lane) f(lane);
    } else {
      for (std::uint32_t left = active; left != 0; left &= left - 1) f(static_cast<unsigned>(std::countr_zero(left)));
    }
  }

  // ---- asynchronous copies (copies.cpp)
  void add_copy(unsigned lane, const Copy& copy);
  void commit_copies(unsigned lane);
  void wait_for_copies(unsigned lane, std::size_t pending);
  bool has_copies(unsigned lane) const { return !copies_[lane].open.empty(); }

  const Kernel* kernel = nullptr;
  unsigned number = 0;  // in the block
  std::uint32_t block[3] = {};
  std::uint32_t active = 0;  // lanes that execute the instruction
  std::uint32_t alive = 0;   // lanes that have not returned
  std::byte* shared_memory = nullptr;
  std::size_t shared_bytes = 0;
  std::byte* parameters = nullptr;  // of the launch
  const Instruction* now = nullptr;
  Stages* stages = nullptr;  // the block's mbarriers and bulk copies
  bool stalled = false;      // an mbarrier's phase was not over: others run before the warp goes back to ask again
  std::vector<std::pair<std::uint64_t, std::uint64_t>> product_reads;  // of shared memory, by wgmma under way
  std::vector<std::size_t> product_groups;                             // ends, in product_reads
  bool filling = false;                                                // bulk copies of the block are under way
  bool late_copies = true;  // a copy takes place at the wait that covers it; else at once

  void attach(std::byte* registers, std::uint32_t* predicates) {
    registers_ = registers;
    predicates_ = predicates;
  }
  void clear_copies();

 private:
  void check_filling(std::uint64_t offset, std::size_t bytes) const;
  [[noreturn]] void fail_shared(std::uint64_t address, std::size_t bytes) const;
  void find_region(std::uint64_t address, std::size_t bytes);

  struct LaneCopies {
    std::vector<Copy> open;           // not covered by a wait yet, in order
    std::vector<std::size_t> groups;  // sizes of the committed ones
  };

  std::byte* registers_ = nullptr;
  std::uint32_t* predicates_ = nullptr;
  std::uint64_t region_begin_ = 1, region_end_ = 0;  // of the last access
  LaneCopies copies_[kLanes];
};

}  // namespace gpueval::ptx
