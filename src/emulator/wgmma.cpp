// SPDX-License-Identifier: Apache-2.0
#include "emulator/wgmma.h"

#include <algorithm>
#include <cstring>

#include "emulator/machine.h"
#include "emulator/products.h"
#include "gpueval/error.h"

namespace gpueval::emulator {
namespace {

constexpr std::uint32_t kRowBytes = 128, kAtomBytes = 8 * kRowBytes, kDepth = 32;

int garbage(unsigned lane, int i) {
  return static_cast<int>(0x9e3779b9u * (lane * 131 + static_cast<unsigned>(i) + 7));
}

// Descriptor of the one layout that cuda/prim/wgmma.h makes: K-major, 128-byte swizzle.
struct Operand {
  std::uint32_t start, group_bytes;

  Operand(const Machine& machine, std::uint64_t descriptor, const char* which) {
    start = static_cast<std::uint32_t>(descriptor & 0x3fff) * 16;
    group_bytes = static_cast<std::uint32_t>(descriptor >> 32 & 0x3fff) * 16;
    constexpr std::uint64_t kKnown = 0xc0003fff3fff3fffu;  // start, leading and stride offset, layout
    const auto refuse = [&](const char* what) {
      machine.fail_here(fmt::format("wgmma descriptor {:#018x} of {}: {}", descriptor, which, what));
    };
    if ((descriptor & ~kKnown) != 0) refuse("bits that are not known here, or a base offset");
    if (descriptor >> 62 != 1) refuse("its layout is not the 128-byte swizzle");
    if (group_bytes == 0 || group_bytes % kAtomBytes != 0) refuse("its stride offset is no multiple of 1024 bytes");
    if (start % kAtomBytes > kRowBytes - kDepth) refuse("its start is not in the first row of 1024 aligned bytes");
  }
  // Shared offset of 16 bytes of a row; half: of the 32 bytes of depth.
  std::uint32_t at(std::uint32_t row, std::uint32_t half) const {
    const std::uint32_t flat = start + row / 8 * group_bytes + row % 8 * kRowBytes + half * 16;
    return flat ^ (flat >> 7 & 7) << 4;
  }
};

// 8 rows from `row` on.
struct Rows {
  std::byte bytes[128];

  Rows(const Machine& machine, const Operand& operand, std::uint32_t row, std::uint32_t half) {
    for (std::uint32_t r = 0; r < 8; ++r) {
      const std::uint32_t at = operand.at(row + r, half);
      if (at + 16 > machine.arena_bytes) {
        machine.fail_here(fmt::format("wgmma reads 16 bytes of shared memory at {} of {}", at, machine.arena_bytes));
      }
      if (machine.writers[at / 16] == device::kFilling) {
        machine.fail_here(fmt::format("wgmma reads shared memory at {}, where a bulk copy is on its way to", at));
      }
      if (!machine.sees_async_proxy(at / 16)) {
        machine.fail_here(
            fmt::format("wgmma reads shared memory at {}, which thread {} wrote or read without "
                        "fence.proxy.async behind it",
                        at, machine.writer_of(at / 16)));
      }
      std::memcpy(bytes + 16 * r, machine.arena + at, 16);
    }
  }
};

// The warp's 16 rows of a product.
template <typename ByteA>
void multiply_add(const Machine& machine, const Warp& warp, const Wgmma& product, std::uint32_t (&sums)[32][2][8][8]) {
  const Operand a(machine, product.a, "A"), b(machine, product.b, "B");
  const std::uint32_t first_row = machine.number(warp) % (kWarpgroup / kWarp) * 16;
  for (std::uint32_t half = 0; half < 2; ++half) {
    Wide rows[2];
    for (std::uint32_t i = 0; i < 2; ++i) widen<ByteA>(Rows(machine, a, first_row + 8 * i, half).bytes, rows[i]);
    for (std::uint32_t j = 0; j < static_cast<std::uint32_t>(product.columns) / 8; ++j) {
      Pairs columns;
      pair_up(Rows(machine, b, 8 * j, half).bytes, columns);
      for (std::uint32_t i = 0; i < 2; ++i) multiply(rows[i], columns, sums[j][i]);
    }
  }
}

void perform(const Machine& machine, const Warp& warp, const Wgmma& product, std::uint32_t (&sums)[32][2][8][8]) {
  if (product.unsigned_a) {
    multiply_add<std::uint8_t>(machine, warp, product, sums);
  } else {
    multiply_add<std::int8_t>(machine, warp, product, sums);
  }
}

}  // namespace

// The accumulators' values, if they are not here already.
WgmmaQueue::Sums& WgmmaQueue::take(Machine& machine, const Wgmma& product, int* const (&acc)[kWarp]) {
  for (const auto& sums : sums_) {
    if (std::equal(acc, acc + kWarp, sums->lane)) {
      if (sums->columns != product.columns) machine.fail_here("wgmma of another shape into sums that are under way");
      return *sums;
    }
  }
  if (!fenced_) machine.fail_here("no wgmma.fence between the accumulators' own writes and wgmma");
  sums_.push_back(std::make_unique<Sums>());
  Sums& sums = *sums_.back();
  std::copy(acc, acc + kWarp, sums.lane);
  sums.columns = product.columns;
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    for (int i = 0; i < product.columns / 2; ++i) {
      sums.at[i / 4][i / 2 % 2][lane / 4][2 * (lane % 4) + static_cast<unsigned>(i % 2)] =
          static_cast<std::uint32_t>(acc[lane][i]);
      acc[lane][i] = garbage(lane, i);
    }
  }
  return sums;
}

void WgmmaQueue::give_back(Machine& machine, const Sums& sums) {
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    for (int i = 0; i < sums.columns / 2; ++i) {
      if (sums.lane[lane][i] != garbage(lane, i)) {
        machine.fail_here(fmt::format("accumulator {} of lane {} was written while wgmma was under way", i, lane));
      }
      sums.lane[lane][i] =
          static_cast<int>(sums.at[i / 4][i / 2 % 2][lane / 4][2 * (lane % 4) + static_cast<unsigned>(i % 2)]);
    }
  }
}

void WgmmaQueue::issue(Machine& machine, const Warp& warp, const Wgmma& product, int* const (&acc)[kWarp]) {
  const unsigned group = machine.number(warp) / (kWarpgroup / kWarp);
  if (group >= machine.warpgroups()) machine.fail_here("wgmma needs a whole warpgroup of 128 threads");
  std::vector<Wgmma>& all = machine.issued(group);
  if (issued_ == all.size()) all.push_back(product);
  if (!(all[issued_] == product)) {
    machine.fail_here(fmt::format("wgmma {} of this warp is another than that of its warpgroup", issued_));
  }
  ++issued_;
  Sums& sums = take(machine, product, acc);
  const bool now = !machine.options().late_products;
  if (now) perform(machine, warp, product, sums.at);
  products_.push_back({product, &sums, now});
}

void WgmmaQueue::wait(Machine& machine, const Warp& warp, std::size_t pending) {
  if (group_ends_.size() <= pending) return;
  const std::size_t groups = group_ends_.size() - pending, end = group_ends_[groups - 1];
  for (std::size_t i = 0; i < end; ++i) {
    Open& open = products_[i];
    if (!open.done) perform(machine, warp, open.product, open.sums->at);
  }
  products_.erase(products_.begin(), products_.begin() + static_cast<std::ptrdiff_t>(end));
  group_ends_.erase(group_ends_.begin(), group_ends_.begin() + static_cast<std::ptrdiff_t>(groups));
  for (std::size_t& group_end : group_ends_) group_end -= end;
  std::erase_if(sums_, [&](const auto& sums) {
    const auto uses = [&](const Open& open) { return open.sums == sums.get(); };
    if (std::any_of(products_.begin(), products_.end(), uses)) return false;
    give_back(machine, *sums);
    fenced_ = false;
    return true;
  });
}

void WgmmaQueue::clear() {
  products_.clear();
  group_ends_.clear();
  sums_.clear();
  issued_ = 0;
  fenced_ = false;
}

namespace device {
namespace {

void require_whole_warp(const Machine& machine, unsigned lanes) {
  if (lanes != ~0u) machine.fail_here(fmt::format("wgmma needs all 32 lanes, lanes {:#010x} took part", lanes));
}

void finish_fence(Machine& machine, Warp& warp, unsigned lanes) {
  require_whole_warp(machine, lanes);
  warp.wgmma.fence();
}

void finish_commit(Machine& machine, Warp& warp, unsigned lanes) {
  require_whole_warp(machine, lanes);
  warp.wgmma.commit();
}

template <typename Value>
void put(Warp& warp, unsigned first, unsigned lane, Value value) {
  std::uint32_t words[2];
  static_assert(sizeof value == sizeof words);
  std::memcpy(words, &value, sizeof words);
  warp.in[first][lane] = words[0];
  warp.in[first + 1][lane] = words[1];
}
template <typename Value>
Value got(const Warp& warp, unsigned first, unsigned lane) {
  const std::uint32_t words[2] = {warp.in[first][lane], warp.in[first + 1][lane]};
  Value value;
  std::memcpy(&value, words, sizeof value);
  return value;
}

// in[0..1], in[2..3]: descriptors, in[4..5]: the accumulators' address, in[6]: twice the columns, + 1 for unsigned A.
void finish_product(Machine& machine, Warp& warp, unsigned lanes) {
  require_whole_warp(machine, lanes);
  int* acc[kWarp];
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    for (const unsigned i : {0u, 1u, 2u, 3u, 6u}) {
      if (warp.in[i][lane] != warp.in[i][0]) {
        machine.fail_here(fmt::format("wgmma with another descriptor or shape in lane {} than in lane 0", lane));
      }
    }
    acc[lane] = got<int*>(warp, 4, lane);
  }
  warp.wgmma.issue(machine, warp,
                   {.a = got<std::uint64_t>(warp, 0, 0),
                    .b = got<std::uint64_t>(warp, 2, 0),
                    .columns = static_cast<int>(warp.in[6][0] / 2),
                    .unsigned_a = warp.in[6][0] % 2 != 0},
                   acc);
}

// in[0]: groups that may stay under way.
void finish_wait(Machine& machine, Warp& warp, unsigned lanes) {
  require_whole_warp(machine, lanes);
  warp.wgmma.wait(machine, warp, warp.in[0][0]);
}

}  // namespace

void async_proxy_fence() { Machine::current().fence_async_proxy(); }

void wgmma_fence() { Machine::current().meet(~0u, WarpOp::kWgmmaFence, finish_fence); }

void wgmma(int* acc, int columns, std::uint64_t a, std::uint64_t b, bool unsigned_a) {
  Machine& machine = Machine::current();
  Warp& warp = machine.warp_now();
  const unsigned lane = machine.lane_now();
  put(warp, 0, lane, a);
  put(warp, 2, lane, b);
  put(warp, 4, lane, acc);
  warp.in[6][lane] = static_cast<std::uint32_t>(columns) * 2 + (unsigned_a ? 1 : 0);
  machine.meet(~0u, WarpOp::kWgmma, finish_product);
}

void wgmma_commit() { Machine::current().meet(~0u, WarpOp::kWgmmaCommit, finish_commit); }

void wgmma_wait(int pending) {
  Machine& machine = Machine::current();
  machine.warp_now().in[0][machine.lane_now()] = static_cast<std::uint32_t>(pending);
  machine.meet(~0u, WarpOp::kWgmmaWait, finish_wait);
}

}  // namespace device
}  // namespace gpueval::emulator
