// SPDX-License-Identifier: Apache-2.0
#include "ptx/warp.h"

#include <cstring>

#include "gpueval/error.h"
#include "ptx/device_memory.h"
#include "ptx/stages.h"

namespace gpueval::ptx {
namespace {

void perform(Copy& copy) {
  if (copy.done) return;
  if (copy.bytes > 0) std::memcpy(copy.dst, copy.src, copy.bytes);
  std::memset(copy.dst + copy.bytes, 0, copy.size - copy.bytes);
  copy.done = true;
}

}  // namespace

void Warp::fail_here(std::string_view what) const {
  const Kernel::Source& source = kernel->text[now->statement];
  fail("{}:{}: {} in '{}' (kernel {}, block ({}, {}, {}), warp {})", kernel->file, source.line, what, source.text,
       kernel->name, block[0], block[1], block[2], number);
}

void Warp::expect_all_lanes() const {
  if (active != kAllLanes) fail_here(fmt::format("only the lanes {:#x} of the warp are there: diverged", active));
}

void Warp::fail_shared(std::uint64_t address, std::size_t bytes) const {
  const auto offset = static_cast<std::int64_t>(address - kSharedBase);
  fail_here(fmt::format("{} bytes at {} of {} bytes of shared memory: out of bounds or misaligned", bytes, offset,
                        shared_bytes));
}

void Warp::check_filling(std::uint64_t offset, std::size_t bytes) const {
  if (stages->is_filling(offset, bytes)) {
    fail_here(fmt::format("shared memory at {}, where a bulk copy is on its way to", offset));
  }
}

void Warp::find_region(std::uint64_t address, std::size_t bytes) {
  const auto region = region_of(address);
  if (!region || address + bytes > region->second) {
    fail_here(region ? fmt::format("{} bytes {} bytes behind the end of an allocation", bytes,
                                   static_cast<std::int64_t>(address + bytes - region->second))
                     : std::string("an address in no allocation"));
  }
  region_begin_ = region->first;
  region_end_ = region->second;
}

void Warp::add_copy(unsigned lane, const Copy& copy) {
  std::vector<Copy>& open = copies_[lane].open;
  open.push_back(copy);
  if (!late_copies) perform(open.back());
}

void Warp::commit_copies(unsigned lane) {
  LaneCopies& copies = copies_[lane];
  std::size_t committed = 0;
  for (const std::size_t group : copies.groups) committed += group;
  copies.groups.push_back(copies.open.size() - committed);
}

void Warp::wait_for_copies(unsigned lane, std::size_t pending) {
  LaneCopies& copies = copies_[lane];
  if (copies.groups.size() <= pending) return;
  const std::size_t ended = copies.groups.size() - pending;
  std::size_t count = 0;
  for (std::size_t i = 0; i < ended; ++i) count += copies.groups[i];
  for (std::size_t i = 0; i < count; ++i) perform(copies.open[i]);
  copies.open.erase(copies.open.begin(), copies.open.begin() + static_cast<std::ptrdiff_t>(count));
  copies.groups.erase(copies.groups.begin(), copies.groups.begin() + static_cast<std::ptrdiff_t>(ended));
}

void Warp::clear_copies() {
  for (LaneCopies& copies : copies_) {
    copies.open.clear();
    copies.groups.clear();
  }
  region_begin_ = 1;
  region_end_ = 0;
}

}  // namespace gpueval::ptx
