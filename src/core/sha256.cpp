// SPDX-License-Identifier: Apache-2.0
#include "core/sha256.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/input_file.h"
#include "core/stop_signal.h"
#include "gpueval/error.h"

namespace gpueval {

struct Sha256::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~Impl() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  GPUEVAL_CHECK(EVP_DigestInit_ex(impl_->context, EVP_sha256(), nullptr) == 1, "OpenSSL has no SHA-256");
}
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
  GPUEVAL_CHECK(EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) == 1, "{} bytes", bytes.size());
}

void Sha256::update(std::string_view text) { update(std::as_bytes(std::span(text))); }

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  GPUEVAL_CHECK(EVP_DigestFinal_ex(impl_->context, digest.data(), &size) == 1, "digest");
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::string sha256_file(const std::string& path) {
  const InputFile file(path);
  Sha256 sum;
  std::vector<std::uint8_t> block(1 << 20);
  for (std::uint64_t offset = 0; offset < file.size();) {
    stop_point();
    const std::span<std::uint8_t> piece = std::span(block).first(std::min(block.size(), file.size() - offset));
    file.read(offset, piece);
    sum.update(std::as_bytes(piece));
    offset += piece.size();
  }
  return sum.hex();
}

}  // namespace gpueval
