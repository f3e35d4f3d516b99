// SPDX-License-Identifier: Apache-2.0
#include "emulator/device.h"

#include <bit>

#include "emulator/machine.h"
#include "gpueval/error.h"

namespace gpueval::emulator::device {

void block_barrier(const char* file, unsigned line) { Machine::current().arrive_at_barrier(file, line); }

void wait_for_previous_kernel() { Machine::current().wait_for_previous_kernel(); }
void named_barrier(unsigned id, unsigned threads, const char* file, unsigned line) {
  Machine::current().arrive_at_named_barrier(id, threads, file, line);
}

void warp_barrier(unsigned mask) { Machine::current().meet(mask, WarpOp::kBarrier, nullptr); }

namespace {

// in[0]: values, in[1]: the lane to read from; out[0]: what it holds.
void finish_shuffle(Machine& machine, Warp& warp, unsigned lanes) {
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    if ((lanes >> lane & 1) == 0) continue;
    const unsigned from = warp.in[1][lane];
    if ((lanes >> from & 1) == 0) {
      machine.fail_here(fmt::format("lane {} shuffles from lane {}, which does not take part", lane, from));
    }
    warp.out[0][lane] = warp.in[0][from];
  }
}

void finish_ballot(Machine&, Warp& warp, unsigned lanes) {
  unsigned votes = 0;
  for (unsigned lane = 0; lane < kWarp; ++lane) votes |= (warp.in[0][lane] & 1u) << lane;
  votes &= lanes;
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    if ((lanes >> lane & 1) != 0) warp.out[0][lane] = votes;
  }
}

std::uint32_t exchange(WarpOp op, unsigned mask, std::uint32_t value, unsigned from) {
  Machine& machine = Machine::current();
  Warp& warp = machine.warp_now();
  const unsigned lane = machine.lane_now();
  warp.in[0][lane] = value;
  warp.in[1][lane] = from % kWarp;
  machine.meet(mask, op, finish_shuffle);
  return warp.out[0][lane];
}

}  // namespace

std::uint32_t shuffle_xor(unsigned mask, std::uint32_t value, int lanes) {
  return exchange(WarpOp::kShuffleXor, mask, value, Machine::current().lane_now() ^ static_cast<unsigned>(lanes));
}

std::uint32_t shuffle(unsigned mask, std::uint32_t value, int from_lane) {
  return exchange(WarpOp::kShuffle, mask, value, static_cast<unsigned>(from_lane));
}

unsigned ballot(unsigned mask, bool predicate) {
  Machine& machine = Machine::current();
  Warp& warp = machine.warp_now();
  const unsigned lane = machine.lane_now();
  warp.in[0][lane] = predicate ? 1 : 0;
  machine.meet(mask, WarpOp::kBallot, finish_ballot);
  return warp.out[0][lane];
}

void fail_shared(std::uint32_t offset, std::size_t bytes, std::size_t alignment) {
  const Machine& machine = Machine::current();
  if (std::size_t{offset} + bytes > machine.arena_bytes) {
    machine.fail_here(
        fmt::format("shared access out of bounds: {} bytes at offset {} of {}", bytes, offset, machine.arena_bytes));
  }
  machine.fail_here(
      fmt::format("misaligned shared access: {} bytes at offset {}, not a multiple of {}", bytes, offset, alignment));
}

void fail_filling(std::uint32_t offset) {
  Machine::current().fail_here(fmt::format("accesses shared memory at {}, where a bulk copy is on its way to", offset));
}

void fail_index(std::uint32_t index, std::uint32_t count) {
  Machine::current().fail_here(fmt::format("shared array index {} out of bounds of {} elements", index, count));
}

void fail_alignment(const void* address, std::size_t alignment) {
  Machine::current().fail_here(
      fmt::format("misaligned global access: address {} is not a multiple of {}", address, alignment));
}

namespace {

void cp_async(std::uint32_t offset, const void* src, std::size_t bytes, bool valid) {
  Machine& machine = Machine::current();
  std::byte* dst = shared(offset, bytes, bytes);
  check_alignment(src, bytes);
  machine.thread_now().copies.add(dst, src, bytes, valid, machine.options().late_copies);
}

}  // namespace

void cp_async_4(std::uint32_t offset, const void* src, bool valid) { cp_async(offset, src, 4, valid); }
void cp_async_16(std::uint32_t offset, const void* src, bool valid) { cp_async(offset, src, 16, valid); }

void cp_async_commit() { Machine::current().thread_now().copies.commit(); }

void cp_async_wait(int pending) { Machine::current().thread_now().copies.wait(static_cast<std::size_t>(pending)); }

}  // namespace gpueval::emulator::device
