// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

struct zip;

namespace gpueval {

// A .keras archive. Hostile ones are expected: stored and deflated entries only, each name once, and no more is
// unpacked than unpacked_limit. Still, libzip is let near a file in a child process only (rehearse.h).
class ZipArchive {
 public:
  // archive: the whole file in memory, or nullopt to read it from the path name. Throws Error if it is damaged.
  ZipArchive(const std::string& name, std::uint64_t bytes, std::optional<std::span<const std::byte>> archive);
  ~ZipArchive();
  ZipArchive(const ZipArchive&) = delete;
  ZipArchive& operator=(const ZipArchive&) = delete;

  bool has(const std::string& entry) const;
  // The first entry whose name ends so; empty if there is none.
  std::string find_ending(const std::string& end) const;
  // Unpacked bytes. Throws Error if there is no such entry, or one that nobody should unpack.
  std::uint64_t size(const std::string& entry) const;
  // dst: size(entry) bytes. Checks the entry's sum.
  void unpack(const std::string& entry, std::span<std::byte> dst) const;
  std::string text(const std::string& entry, std::uint64_t max_bytes) const;

 private:
  std::string name_;
  std::uint64_t bytes_;
  zip* archive_ = nullptr;
};

// What a file of so many bytes may become when unpacked. Trained numbers hardly compress (by 1.1); a network of which
// nine tenths are zeros does by about 10, and an optimizer's zeros without bound, so 32 times is far beyond what is
// needed.
std::uint64_t unpacked_limit(std::uint64_t bytes);

}  // namespace gpueval
