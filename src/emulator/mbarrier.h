// SPDX-License-Identifier: Apache-2.0
// The mbarriers of a block: a phase is over when all arrivals and all bytes that it expects have come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gpueval::emulator {

class Machine;

struct Mbarrier {
  std::uint32_t offset = 0, arrivals = 0;  // of a phase
  std::uint32_t pending = 0;               // arrivals of this one that are to come
  std::int64_t bytes = 0;                  // likewise; below zero: they came before somebody expected them
  unsigned phase = 0;

  // Of the phases of that parity, the last one; a new barrier's first phase has parity 0, and that before it is over.
  bool is_over(unsigned parity) const { return phase % 2 != parity; }
};

class Mbarriers {
 public:
  void init(Machine& machine, std::uint32_t offset, std::uint32_t arrivals);
  const Mbarrier& find(Machine& machine, std::uint32_t offset);
  void expect(Machine& machine, std::uint32_t offset, std::int64_t bytes);  // below zero: they have come
  void arrive(Machine& machine, std::uint32_t offset);
  const Mbarrier* unsettled() const;  // one with bytes to come, or null
  void clear() { all_.clear(); }

 private:
  Mbarrier& at(Machine& machine, std::uint32_t offset);
  static void settle(Machine& machine, Mbarrier& barrier);

  std::vector<Mbarrier> all_;
};

}  // namespace gpueval::emulator
