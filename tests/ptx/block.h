// SPDX-License-Identifier: Apache-2.0
// Runs the blocks of one launch, one after another, on one host thread. A warp runs up to its barrier before the next
// one starts: a missing barrier shows in one of the two orders of the warps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ptx/kernel.h"
#include "ptx/stages.h"
#include "ptx/warp.h"

namespace gpueval::ptx {

struct Launch {
  const Kernel* kernel = nullptr;
  std::uint32_t blocks[3] = {1, 1, 1};
  std::uint32_t threads = 1;
  std::size_t shared_bytes = 0;
  std::vector<std::byte> parameters;
  bool late_copies = true;
  bool descending = false;  // the last warp first
};

class BlockRunner {
 public:
  void run(Launch& launch, std::uint64_t block);

 private:
  // A place where some lanes of a warp are; at `until` they join those of the entry below.
  struct Path {
    std::uint32_t at, until, lanes;
  };
  struct State {
    std::vector<Path> paths;
    bool at_barrier = false;
    std::uint32_t barrier = 0;                              // its statement
    std::uint32_t barrier_number = 0, barrier_threads = 0;  // 0: all
    std::uint64_t stalled_at = kRuns;                       // events of the mbarriers when it began to wait
  };
  static constexpr std::uint64_t kRuns = ~std::uint64_t{0};

  void prepare(Launch& launch);
  void fill_specials(Warp& warp);
  // Up to the next barrier or the end.
  void advance(Warp& warp, State& state);
  static void branch(const Instruction& i, std::uint32_t taken, State& state);
  static void leave(Warp& warp, State& state);
  bool advance_all();
  bool release_barriers();
  bool release_barrier(std::uint32_t number);
  void check_end();

  Launch* launch_ = nullptr;
  std::uint64_t prepared_ = 0;  // serial of the kernel whose constants the registers hold
  std::vector<Warp> warps_;
  std::vector<State> states_;
  std::vector<std::uint64_t> registers_;
  std::vector<std::uint32_t> predicates_;
  std::vector<std::uint64_t> shared_;
  Stages stages_;
};

}  // namespace gpueval::ptx
