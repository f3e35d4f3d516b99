// SPDX-License-Identifier: Apache-2.0
#include "emulator/copies.h"

#include <cstring>

#include "emulator/device.h"

namespace gpueval::emulator {

void Copies::perform(const Copy& copy) {
  const device::Context& c = *device::context;
  c.writers[(copy.dst - c.arena) / 16] = c.writer;
  if (copy.src != nullptr) {
    std::memcpy(copy.dst, copy.src, copy.bytes);
  } else {
    std::memset(copy.dst, 0, copy.bytes);
  }
}

void Copies::add(std::byte* dst, const void* src, std::size_t bytes, bool valid, bool late) {
  const Copy copy{dst, valid ? src : nullptr, bytes, !late};
  if (!late) perform(copy);
  copies_.push_back(copy);
}

void Copies::wait(std::size_t pending) {
  while (group_ends_.size() - next_group_ > pending) {
    const std::size_t end = group_ends_[next_group_++];
    for (; next_ < end; ++next_) {
      if (!copies_[next_].done) perform(copies_[next_]);
    }
  }
  if (next_group_ == group_ends_.size() && next_ == copies_.size()) {
    clear();
  } else if (next_group_ >= 32) {  // a long loop that always has something under way
    copies_.erase(copies_.begin(), copies_.begin() + static_cast<std::ptrdiff_t>(next_));
    group_ends_.erase(group_ends_.begin(), group_ends_.begin() + static_cast<std::ptrdiff_t>(next_group_));
    for (std::uint32_t& end : group_ends_) end -= static_cast<std::uint32_t>(next_);
    next_ = next_group_ = 0;
  }
}

void Copies::clear() {
  copies_.clear();
  group_ends_.clear();
  next_ = next_group_ = 0;
}

}  // namespace gpueval::emulator
