// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gpueval::data {

// One budget for the pictures that all threads hold decoded at the same time: a picture's share is reserved before it
// is decoded, by a thread that waits until the others leave enough, and given back when the thread's outermost
// DecodeMemory ends. Ordinary pictures never wait; one that needs more than the budget is decoded alone.
//
//     const DecodeMemory memory;        // whoever works with the decoded picture
//     Image image = decode_jpeg(...);   // reserves in there
class DecodeMemory {
 public:
  static constexpr std::uint64_t kBudget = std::uint64_t{1} << 30;

  DecodeMemory();
  ~DecodeMemory();
  DecodeMemory(const DecodeMemory&) = delete;
  DecodeMemory& operator=(const DecodeMemory&) = delete;

  // Waits only while this thread holds nothing: two pictures in one scope must not wait for each other.
  void reserve(std::uint64_t bytes) const;
  // Before a file of so many bytes is read: a large one takes the whole budget, whatever turns out to be in it.
  void reserve_file(std::uint64_t bytes) const;
};

}  // namespace gpueval::data
