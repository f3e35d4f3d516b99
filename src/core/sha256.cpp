// SPDX-License-Identifier: Apache-2.0
#include "core/sha256.h"

// A sum that goes on in another process needs the state, which only this older interface shows.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/input_file.h"
#include "core/stop_signal.h"
#include "gpueval/error.h"

namespace gpueval {

struct Sha256::Impl {
  SHA256_CTX context{};
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  GPUEVAL_CHECK(SHA256_Init(&impl_->context) == 1, "OpenSSL has no SHA-256");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  GPUEVAL_CHECK(SHA256_Update(&impl_->context, bytes.data(), bytes.size()) == 1, "{} bytes", bytes.size());
}

void Sha256::update(std::string_view text) { update(std::as_bytes(std::span(text))); }

std::string Sha256::bytes() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  GPUEVAL_CHECK(SHA256_Final(digest.data(), &impl_->context) == 1, "digest");
  return {digest.begin(), digest.end()};
}

std::string Sha256::hex() {
  std::string text;
  for (const char byte : bytes()) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

Sha256State Sha256::state() const {
  const SHA256_CTX& context = impl_->context;
  Sha256State state;
  static_assert(sizeof(context.h) == sizeof(state.hash) && sizeof(context.data) == sizeof(state.rest));
  std::memcpy(state.hash.data(), context.h, sizeof(context.h));
  state.bytes = (std::uint64_t{context.Nh} << 32 | context.Nl) / 8;
  std::memcpy(state.rest.data(), context.data, context.num);  // behind them are older bytes
  return state;
}

void Sha256::set_state(const Sha256State& state) {
  SHA256_CTX& context = impl_->context;
  SHA256_Init(&context);
  std::memcpy(context.h, state.hash.data(), sizeof(context.h));
  context.Nh = static_cast<SHA_LONG>(state.bytes * 8 >> 32);
  context.Nl = static_cast<SHA_LONG>(state.bytes * 8 & 0xffffffff);
  context.num = static_cast<unsigned>(state.bytes % sizeof(context.data));
  std::memcpy(context.data, state.rest.data(), sizeof(context.data));
}

namespace {

void add_file(Sha256& sum, const std::string& path) {
  const InputFile file(path);
  std::vector<std::uint8_t> block(1 << 20);
  for (std::uint64_t offset = 0; offset < file.size();) {
    stop_point();
    const std::span<std::uint8_t> piece = std::span(block).first(std::min(block.size(), file.size() - offset));
    file.read(offset, piece);
    sum.update(std::as_bytes(piece));
    offset += piece.size();
  }
}

}  // namespace

std::string sha256_file(const std::string& path) { return sha256_files({&path, 1}); }

std::string sha256_files(std::span<const std::string> paths) {
  Sha256 sum;
  for (const std::string& path : paths) add_file(sum, path);
  return sum.hex();
}

}  // namespace gpueval
