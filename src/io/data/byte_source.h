// SPDX-License-Identifier: Apache-2.0
// Bytes at offsets, from memory or from a file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "core/input_file.h"

namespace gpueval::data {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  // Fills dst from `offset`; thread-safe. Error if the source ends before.
  virtual void read(std::uint64_t offset, std::span<std::uint8_t> dst) const = 0;
  const std::string& name() const { return name_; }  // for messages

 protected:
  explicit ByteSource(std::string name) : name_(std::move(name)) {}

 private:
  std::string name_;
};

// The bytes must outlive the source.
class MemorySource : public ByteSource {
 public:
  MemorySource(std::span<const std::uint8_t> bytes, std::string name) : ByteSource(std::move(name)), bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t offset, std::span<std::uint8_t> dst) const override;

 private:
  std::span<const std::uint8_t> bytes_;
};

class FileSource : public ByteSource {
 public:
  explicit FileSource(const std::string& path) : ByteSource(path), file_(path) {}
  std::uint64_t size() const override { return file_.size(); }
  void read(std::uint64_t offset, std::span<std::uint8_t> dst) const override { file_.read(offset, dst); }

 private:
  InputFile file_;
};

}  // namespace gpueval::data
