// SPDX-License-Identifier: Apache-2.0
#include "emulator/mbarrier.h"

#include <algorithm>
#include <cstring>

#include "emulator/machine.h"
#include "gpueval/error.h"

namespace gpueval::emulator {
namespace {

constexpr std::uint32_t kMostArrivals = (1u << 20) - 1;
constexpr std::int64_t kMostBytes = (1 << 20) - 1;

// What lies in shared memory where a barrier is: who writes there himself breaks it.
constexpr std::uint64_t kMark = 0x6261727269657221u;

}  // namespace

void Mbarriers::init(Machine& machine, std::uint32_t offset, std::uint32_t arrivals) {
  std::memcpy(device::shared(offset, 8, 8), &kMark, 8);
  if (arrivals == 0 || arrivals > kMostArrivals) {
    machine.fail_here(fmt::format("an mbarrier of {} arrivals, possible are 1 to {}", arrivals, kMostArrivals));
  }
  const bool twice = std::any_of(all_.begin(), all_.end(), [&](const Mbarrier& b) { return b.offset == offset; });
  if (twice) machine.fail_here(fmt::format("the mbarrier at {} is made twice", offset));
  all_.push_back({.offset = offset, .arrivals = arrivals, .pending = arrivals});
}

Mbarrier& Mbarriers::at(Machine& machine, std::uint32_t offset) {
  for (Mbarrier& barrier : all_) {
    if (barrier.offset != offset) continue;
    if (std::memcmp(machine.arena + offset, &kMark, 8) != 0) {
      machine.fail_here(fmt::format("the mbarrier at {} was written over", offset));
    }
    return barrier;
  }
  machine.fail_here(fmt::format("there is no mbarrier at {} (yet)", offset));
}

const Mbarrier& Mbarriers::find(Machine& machine, std::uint32_t offset) { return at(machine, offset); }

void Mbarriers::settle(Machine& machine, Mbarrier& barrier) {
  if (barrier.pending != 0 || barrier.bytes != 0) return;
  barrier.pending = barrier.arrivals;
  ++barrier.phase;
  machine.wake(barrier.offset);
}

void Mbarriers::expect(Machine& machine, std::uint32_t offset, std::int64_t bytes) {
  Mbarrier& barrier = at(machine, offset);
  barrier.bytes += bytes;
  if (std::abs(barrier.bytes) > kMostBytes) {
    machine.fail_here(
        fmt::format("the mbarrier at {} expects {} bytes, possible are {}", offset, barrier.bytes, kMostBytes));
  }
  if (bytes < 0) settle(machine, barrier);  // else the arrival does
}

void Mbarriers::arrive(Machine& machine, std::uint32_t offset) {
  Mbarrier& barrier = at(machine, offset);
  if (barrier.pending == 0) {
    machine.fail_here(fmt::format("the mbarrier at {} has had its {} arrivals", offset, barrier.arrivals));
  }
  --barrier.pending;
  settle(machine, barrier);
}

const Mbarrier* Mbarriers::unsettled() const {
  const auto found = std::find_if(all_.begin(), all_.end(), [](const Mbarrier& b) { return b.bytes != 0; });
  return found == all_.end() ? nullptr : &*found;
}

namespace device {

void mbarrier_init(std::uint32_t barrier, std::uint32_t arrivals) {
  Machine& machine = Machine::current();
  machine.mbarriers().init(machine, barrier, arrivals);
}

void mbarrier_arrive(std::uint32_t barrier) {
  Machine& machine = Machine::current();
  machine.mbarriers().arrive(machine, barrier);
}

void mbarrier_arrive_expect(std::uint32_t barrier, std::uint32_t bytes) {
  Machine& machine = Machine::current();
  machine.mbarriers().expect(machine, barrier, bytes);
  machine.mbarriers().arrive(machine, barrier);
}

void mbarrier_wait(std::uint32_t barrier, unsigned parity, const char* file, unsigned line) {
  Machine::current().wait_for_mbarrier(barrier, parity, file, line);
}

}  // namespace device
}  // namespace gpueval::emulator
