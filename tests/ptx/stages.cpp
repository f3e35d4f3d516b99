// SPDX-License-Identifier: Apache-2.0
// Written from the PTX ISA ("mbarrier", "Tensors", "im2col mode", "Swizzling Modes"), nothing of the emulator's.
#include "ptx/stages.h"

#include <cstring>

#include "gpueval/error.h"
#include "ptx/warp.h"

namespace gpueval::ptx {
namespace {

constexpr std::uint64_t kRowBytes = 128;

// Element (c, 1, 2, 3) of the tensor, zero outside.
std::byte element(const TensorMapFields& map, const std::int64_t (&index)[4]) {
  const auto* address = static_cast<const std::byte*>(map.address) + index[0];
  for (std::uint32_t d = 0; d < map.rank; ++d) {
    if (index[d] < 0 || index[d] >= map.sizes[d]) return std::byte{0};
  }
  for (std::uint32_t d = 1; d < map.rank; ++d) address += static_cast<std::uint64_t>(index[d]) * map.strides[d - 1];
  return *address;
}

// The pixels of the bounding box, counted through from the one that the copy names.
void pixel_of(const BulkCopy& copy, std::int64_t row, std::int64_t (&index)[4]) {
  const TensorMapFields& map = copy.map;
  const std::int64_t step_w = map.element_strides[0], step_h = map.element_strides[1];
  const auto count = [](std::int64_t first, std::int64_t end, std::int64_t step) {
    return (end - first + step - 1) / step;
  };
  const std::int64_t columns = count(map.lower[0], map.sizes[1] + std::int64_t{map.upper[0]}, step_w);
  const std::int64_t lines = count(map.lower[1], map.sizes[2] + std::int64_t{map.upper[1]}, step_h);
  const std::int64_t from =
      (copy.at[3] * lines + (copy.at[2] - map.lower[1]) / step_h) * columns + (copy.at[1] - map.lower[0]) / step_w;
  const std::int64_t pixel = from + row;
  index[1] = pixel % columns * step_w + map.lower[0] + copy.tap[0];
  index[2] = pixel / columns % lines * step_h + map.lower[1] + copy.tap[1];
  index[3] = pixel / columns / lines;
}

}  // namespace

void Stages::start(std::vector<Warp>& warps, bool late, bool descending) {
  warps_ = &warps;
  late_ = late;
  descending_ = descending;
  barriers_.clear();
  under_way_.clear();
  events_ = 0;
}

void Stages::init(Warp& warp, std::uint64_t offset, std::uint32_t arrivals) {
  if (arrivals == 0 || arrivals >= 1u << 20) warp.fail_here("an impossible number of arrivals");
  const auto [barrier, added] =
      barriers_.emplace(offset, Barrier{.arrivals = arrivals, .pending = arrivals, .made_by = warp.number});
  if (!added) warp.fail_here("an mbarrier made twice");
}

Stages::Barrier& Stages::at(Warp& warp, std::uint64_t offset) {
  const auto found = barriers_.find(offset);
  if (found == barriers_.end()) warp.fail_here("no mbarrier there, or not yet");
  return found->second;
}

void Stages::settle(Barrier& barrier) {
  if (barrier.pending > 0 || barrier.bytes != 0) return;
  barrier.pending = barrier.arrivals;
  ++barrier.phase;
  ++events_;
}

void Stages::arrive(Warp& warp, std::uint64_t offset, std::uint32_t bytes) {
  Barrier& barrier = at(warp, offset);
  if (barrier.pending == 0) warp.fail_here("more arrivals than the mbarrier expects");
  barrier.bytes += bytes;
  if (barrier.bytes >= 1 << 20) warp.fail_here("more bytes than an mbarrier can expect");
  --barrier.pending;
  settle(barrier);
}

bool Stages::is_over(Warp& warp, std::uint64_t offset, std::uint32_t parity) {
  if (parity > 1) warp.fail_here("a parity other than 0 and 1");
  return at(warp, offset).phase % 2 != parity;
}

void Stages::fence(const Warp& warp) {
  for (auto& [offset, barrier] : barriers_) barrier.fenced |= barrier.made_by == warp.number;
}

bool Stages::is_filling(std::uint64_t offset, std::size_t bytes) const {
  for (const BulkCopy& copy : under_way_) {
    if (offset < copy.offset + copy.bytes && copy.offset < offset + bytes) return true;
  }
  return false;
}

void Stages::note_filling() {
  for (Warp& warp : *warps_) warp.filling = !under_way_.empty();
}

void Stages::issue(Warp& warp, const BulkCopy& copy) {
  if (!at(warp, copy.barrier).fenced) warp.fail_here("an mbarrier made without a fence for the asynchronous proxy");
  if (copy.bytes == 0 || copy.bytes % 16 != 0) warp.fail_here("a size that is no multiple of 16");
  if (copy.offset % (copy.src != nullptr ? 16 : kRowBytes) != 0) warp.fail_here("misaligned access of shared memory");
  if (copy.offset + copy.bytes > warp.shared_bytes) warp.fail_here("a copy beyond shared memory");
  if (is_filling(copy.offset, copy.bytes)) warp.fail_here("a bulk copy to where another is on its way to");
  for (const Warp& other : *warps_) {
    for (const auto& [begin, end] : other.product_reads) {
      if (begin < copy.offset + copy.bytes && copy.offset < end) {
        warp.fail_here(fmt::format("a bulk copy to {}, which wgmma of warp {} still reads", begin, other.number));
      }
    }
  }
  if (late_) {
    under_way_.push_back(copy);
    note_filling();
  } else {
    land(copy);
  }
}

void Stages::land(const BulkCopy& copy) {
  std::byte* const memory = warps_->front().shared_memory;
  if (copy.src != nullptr) {
    std::memcpy(memory + copy.offset, copy.src, copy.bytes);
  } else {
    for (std::uint64_t i = 0; i < copy.bytes; ++i) {
      const auto row = static_cast<std::int64_t>(i / kRowBytes);
      std::int64_t index[4] = {copy.at[0], copy.at[1] + row, 0, 0};
      if (copy.map.im2col) pixel_of(copy, row, index);
      index[0] = copy.at[0] + static_cast<std::int64_t>(i % kRowBytes);
      // The 16-byte chunk's number within 128 bytes is turned by that of the 128 bytes within 1024.
      const std::uint64_t to = copy.offset + i, chunk = (to / 16 % 8) ^ (to / 128 % 8);
      memory[to / 128 * 128 + chunk * 16 + to % 16] = element(copy.map, index);
    }
  }
  Barrier& barrier = barriers_.at(copy.barrier);
  barrier.bytes -= static_cast<std::int64_t>(copy.bytes);
  settle(barrier);
}

bool Stages::deliver() {
  if (under_way_.empty()) return false;
  const std::size_t which = descending_ ? under_way_.size() - 1 : 0;
  const BulkCopy copy = under_way_[which];
  under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(which));
  note_filling();
  land(copy);
  return true;
}

std::string Stages::left_over() const {
  for (const auto& [offset, barrier] : barriers_) {
    if (barrier.bytes != 0) return fmt::format("the mbarrier at {} still expects {} bytes", offset, barrier.bytes);
  }
  return under_way_.empty() ? "" : "bulk copies under way at the end";
}

}  // namespace gpueval::ptx
