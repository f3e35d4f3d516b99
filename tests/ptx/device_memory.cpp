// SPDX-License-Identifier: Apache-2.0
#include "ptx/device_memory.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

namespace gpueval::ptx {
namespace {

constexpr std::size_t kAlignment = 256, kCapacity = std::size_t{8} << 30;
constexpr int kGarbage = 0xA5;

std::map<std::uint64_t, std::uint64_t> regions;  // begin -> end
std::mutex regions_guard;

}  // namespace

void* allocate(std::size_t bytes) {
  void* memory = nullptr;
  if (bytes > kCapacity || posix_memalign(&memory, kAlignment, bytes) != 0) return nullptr;
  std::memset(memory, kGarbage, bytes);
  const auto begin = reinterpret_cast<std::uint64_t>(memory);
  const std::lock_guard lock(regions_guard);
  regions[begin] = begin + bytes;
  return memory;
}

bool release(void* memory) {
  const std::lock_guard lock(regions_guard);
  if (regions.erase(reinterpret_cast<std::uint64_t>(memory)) == 0) return false;
  std::free(memory);
  return true;
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> region_of(std::uint64_t address) {
  const std::lock_guard lock(regions_guard);
  auto region = regions.upper_bound(address);
  if (region == regions.begin()) return std::nullopt;
  --region;
  return *region;
}

}  // namespace gpueval::ptx
