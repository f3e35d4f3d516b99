// SPDX-License-Identifier: Apache-2.0
// The asynchronous products of one warp: 16 of the 64 rows of its warpgroup's. Between a product and the wait that
// covers it its accumulators hold garbage, which must still be there at the wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace gpueval::emulator {

inline constexpr unsigned kWarp = 32, kWarpgroup = 128;

class Machine;
struct Warp;

struct Wgmma {
  std::uint64_t a = 0, b = 0;  // descriptors
  int columns = 0;
  bool unsigned_a = false;
  bool operator==(const Wgmma&) const = default;
};

class WgmmaQueue {
 public:
  // acc: of each lane.
  void issue(Machine& machine, const Warp& warp, const Wgmma& product, int* const (&acc)[kWarp]);
  void fence() { fenced_ = true; }
  void commit() { group_ends_.push_back(products_.size()); }
  // Completes all groups but the newest `pending`.
  void wait(Machine& machine, const Warp& warp, std::size_t pending);
  bool empty() const { return products_.empty(); }
  std::size_t issued() const { return issued_; }
  void clear();

 private:
  struct Sums {
    int* lane[kWarp];
    int columns;
    alignas(16) std::uint32_t at[32][2][8][8];  // [8 columns][8 rows]
  };
  struct Open {
    Wgmma product;
    Sums* sums;
    bool done;
  };
  Sums& take(Machine& machine, const Wgmma& product, int* const (&acc)[kWarp]);
  void give_back(Machine& machine, const Sums& sums);

  std::vector<Open> products_;
  std::vector<std::size_t> group_ends_;      // in products_
  std::vector<std::unique_ptr<Sums>> sums_;  // under way
  std::size_t issued_ = 0;
  bool fenced_ = false;
};

}  // namespace gpueval::emulator
