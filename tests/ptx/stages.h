// SPDX-License-Identifier: Apache-2.0
// What a block shares beside memory: mbarriers, and the copies of the tensor memory accelerator that are under way.
// They land when no warp can go on without one, or at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/tensor_map.h"

namespace gpueval::ptx {

class Warp;

// To shared memory at an offset: bytes from src, or a box of the tensor.
struct BulkCopy {
  std::uint64_t offset = 0, bytes = 0, barrier = 0;
  const std::byte* src = nullptr;
  TensorMapFields map;
  std::int64_t at[4] = {}, tap[2] = {};
};

class Stages {
 public:
  void start(std::vector<Warp>& warps, bool late, bool descending);

  // ---- mbarriers, by the offset; a warp that does what it must not fails
  void init(Warp& warp, std::uint64_t offset, std::uint32_t arrivals);
  void arrive(Warp& warp, std::uint64_t offset, std::uint32_t bytes);
  bool is_over(Warp& warp, std::uint64_t offset, std::uint32_t parity);
  void fence(const Warp& warp);  // of the asynchronous proxy
  std::uint64_t events() const { return events_; }

  // ---- copies
  void issue(Warp& warp, const BulkCopy& copy);
  bool deliver();  // one of those under way; false: there is none
  bool is_filling(std::uint64_t offset, std::size_t bytes) const;
  std::string left_over() const;  // what should not be at the end of the block; empty: nothing

 private:
  struct Barrier {
    std::uint32_t arrivals = 0, pending = 0, phase = 0;
    std::int64_t bytes = 0;
    unsigned made_by = 0;  // the warp
    bool fenced = false;
  };
  Barrier& at(Warp& warp, std::uint64_t offset);
  void settle(Barrier& barrier);
  void land(const BulkCopy& copy);
  void note_filling();

  std::vector<Warp>* warps_ = nullptr;
  bool late_ = true, descending_ = false;
  std::map<std::uint64_t, Barrier> barriers_;
  std::vector<BulkCopy> under_way_;
  std::uint64_t events_ = 0;
};

}  // namespace gpueval::ptx
