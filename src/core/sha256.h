// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gpueval {

// SHA-256 (OpenSSL) of bytes given in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  std::string hex();  // ends the sum

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string sha256_file(const std::string& path);  // throws Error if the file cannot be read

}  // namespace gpueval
