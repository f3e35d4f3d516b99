// SPDX-License-Identifier: Apache-2.0
#include "emulator/bulk_copy.h"

#include <algorithm>
#include <cstring>

#include "emulator/machine.h"
#include "gpueval/error.h"

namespace gpueval::emulator {
namespace {

constexpr std::uint32_t kBoxRowBytes = 128;

// Of one pixel, or row: its coordinates in dimensions 1, 2, 3.
using Place = std::int64_t[3];

// Bytes of the innermost dimension from at[0] on, zeros outside of the tensor.
void copy_row(const Machine& machine, const BulkCopy& copy, std::uint32_t row, const Place& place) {
  const TensorMapFields& map = copy.map;
  const auto* from = static_cast<const std::byte*>(map.address);
  bool inside = true;
  for (std::uint32_t d = 1; d < map.rank; ++d) {
    inside = inside && place[d - 1] >= 0 && place[d - 1] < map.sizes[d];
    if (inside) from += static_cast<std::uint64_t>(place[d - 1]) * map.strides[d - 1];
  }
  for (std::uint32_t i = 0; i < kBoxRowBytes; ++i) {
    const std::int64_t c = std::int64_t{copy.at[0]} + i;
    const std::uint32_t flat = copy.offset + row * kBoxRowBytes + i, to = flat ^ (flat >> 3 & 0x70);
    machine.arena[to] = inside && c >= 0 && c < map.sizes[0] ? from[c] : std::byte{0};
  }
}

void copy_tile(const Machine& machine, const BulkCopy& copy) {
  for (std::uint32_t row = 0; row < copy.map.box[1]; ++row) {
    copy_row(machine, copy, row, {std::int64_t{copy.at[1]} + row, 0, 0});
  }
}

// From pixel at[1..3] on, one after the other: those of a line up to the corner, of the lines, of the images.
void copy_pixels(const Machine& machine, const BulkCopy& copy) {
  const TensorMapFields& map = copy.map;
  std::int64_t w = copy.at[1], h = copy.at[2], n = copy.at[3];
  for (std::uint32_t row = 0; row < map.box[1]; ++row) {
    copy_row(machine, copy, row, {w + copy.tap[0], h + copy.tap[1], n});
    w += map.element_strides[0];
    if (w < std::int64_t{map.sizes[1]} + map.upper[0]) continue;
    w = map.lower[0];
    h += map.element_strides[1];
    if (h < std::int64_t{map.sizes[2]} + map.upper[1]) continue;
    h = map.lower[1];
    ++n;
  }
}

}  // namespace

void BulkCopy::check(Machine& machine) const {
  const auto refuse = [&](const std::string& what) { machine.fail_here("bulk copy: " + what); };
  const std::uint32_t alignment = src != nullptr ? 16 : kBoxRowBytes;
  if (offset % alignment != 0) refuse(fmt::format("to {}, not a multiple of {}", offset, alignment));
  if (bytes == 0 || bytes % 16 != 0) refuse(fmt::format("of {} bytes, not a multiple of 16", bytes));
  if (std::size_t{offset} + bytes > machine.arena_bytes) {
    refuse(fmt::format("of {} bytes to {} of {}", bytes, offset, machine.arena_bytes));
  }
  if (src != nullptr && reinterpret_cast<std::uintptr_t>(src) % 16 != 0) refuse("from an address not a multiple of 16");
  if (src == nullptr && map.im2col &&
      (at[1] < map.lower[0] || at[2] < map.lower[1] || at[1] >= std::int64_t{map.sizes[1]} + map.upper[0] ||
       at[2] >= std::int64_t{map.sizes[2]} + map.upper[1])) {
    refuse(fmt::format("from pixel ({}, {}) outside of the map's box", at[1], at[2]));
  }
  static_cast<void>(machine.mbarriers().find(machine, barrier));
  if (!machine.sees_async_proxy(barrier / 16)) {
    refuse(fmt::format("the mbarrier at {} was made without fence.proxy.async behind it", barrier));
  }
  for (std::uint32_t chunk = offset / 16; chunk < (offset + bytes) / 16; ++chunk) {
    if (machine.writers[chunk] == device::kFilling)
      refuse(fmt::format("to {} while another is on its way", chunk * 16));
    if (!machine.sees_async_proxy(chunk)) {
      refuse(fmt::format("to {}, which thread {} wrote or read without fence.proxy.async behind it", chunk * 16,
                         machine.writer_of(chunk)));
    }
  }
}

void BulkCopy::perform(Machine& machine) const {
  std::fill(machine.writers + offset / 16, machine.writers + (offset + bytes) / 16, 0u);
  if (src != nullptr) {
    std::memcpy(machine.arena + offset, src, bytes);
  } else if (map.im2col) {
    copy_pixels(machine, *this);
  } else {
    copy_tile(machine, *this);
  }
  machine.mbarriers().expect(machine, barrier, -std::int64_t{bytes});
}

void Machine::issue(const BulkCopy& copy) {
  copy.check(*this);
  if (!launch_->options.late_copies) return copy.perform(*this);
  std::fill(writers + copy.offset / 16, writers + (copy.offset + copy.bytes) / 16, device::kFilling);
  under_way_.push_back(copy);
}

// One of the copies under way: the first, the last or any.
bool Machine::deliver() {
  if (under_way_.empty()) return false;
  std::size_t which = 0;
  if (launch_->options.schedule == Schedule::kDescending) which = under_way_.size() - 1;
  if (launch_->options.schedule == Schedule::kRandom) which = random_.next() % under_way_.size();
  const BulkCopy copy = under_way_[which];
  under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(which));
  copy.perform(*this);
  return true;
}

namespace device {

void bulk_copy(std::uint32_t offset, const void* src, std::uint32_t bytes, std::uint32_t barrier) {
  Machine::current().issue(
      {.offset = offset, .bytes = bytes, .barrier = barrier, .src = static_cast<const std::byte*>(src)});
}

void bulk_copy_box(std::uint32_t offset, const TensorMapFields& map, const std::int32_t (&at)[4],
                   const std::uint16_t (&tap)[2], std::uint32_t barrier) {
  BulkCopy copy{.offset = offset, .bytes = map.box[1] * kBoxRowBytes, .barrier = barrier, .map = map};
  std::copy_n(at, 4, copy.at);
  std::copy_n(tap, 2, copy.tap);
  Machine::current().issue(copy);
}

}  // namespace device
}  // namespace gpueval::emulator
