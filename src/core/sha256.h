// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gpueval {

// Half-way through a sum: what it goes on from in another process. FIPS 180-4.
struct Sha256State {
  std::array<std::uint32_t, 8> hash{};
  std::uint64_t bytes = 0;              // summed up until now
  std::array<std::uint8_t, 64> rest{};  // the last bytes % 64 of them
};

// SHA-256 (OpenSSL) of bytes given in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  std::string bytes();  // ends the sum: 32 of them
  std::string hex();    // the same as text

  Sha256State state() const;
  void set_state(const Sha256State& state);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Throw Error if a file cannot be read.
std::string sha256_file(const std::string& path);
std::string sha256_files(std::span<const std::string> paths);  // one behind the other

}  // namespace gpueval
