// SPDX-License-Identifier: Apache-2.0
// The asynchronous copies of one thread: committed in groups, done in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gpueval::emulator {

class Copies {
 public:
  // late: the copy takes place at the wait that covers it; else at once.
  void add(std::byte* dst, const void* src, std::size_t bytes, bool valid, bool late);
  void commit() { group_ends_.push_back(static_cast<std::uint32_t>(copies_.size())); }
  // Completes all groups but the newest `pending`.
  void wait(std::size_t pending);
  bool empty() const { return next_ == copies_.size(); }
  std::size_t open() const { return copies_.size() - next_; }
  void clear();

 private:
  struct Copy {
    std::byte* dst;
    const void* src;  // null: zeros
    std::size_t bytes;
    bool done;
  };
  static void perform(const Copy& copy);

  std::vector<Copy> copies_;
  std::vector<std::uint32_t> group_ends_;  // in copies_
  std::size_t next_ = 0, next_group_ = 0;  // what no wait has covered yet
};

}  // namespace gpueval::emulator
