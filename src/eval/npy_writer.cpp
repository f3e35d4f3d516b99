// SPDX-License-Identifier: Apache-2.0
#include "eval/npy_writer.h"

#include <fmt/format.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "gpueval/error.h"

namespace gpueval {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t kHeaderBytes = 128;  // 10 bytes of magic, version and length, then the padded dictionary
static_assert(std::endian::native == std::endian::little, "the file is written as little-endian float32");

// Renaming a file to the name of a device would replace it.
const std::string& checked(const std::string& path) {
  std::error_code ignored;
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)) {
    fail("{}: expected a new or a regular file to write logits to, this is neither", path);
  }
  return path;
}

}  // namespace

NpyWriter::NpyWriter(std::string path, std::size_t columns)
    : path_(std::move(path)),
      part_(checked(path_) + ".part"),
      columns_(columns),
      file_(std::fopen(part_.c_str(), "wb")) {
  if (!file_) fail("{}: cannot be written: {}", path_, std::strerror(errno));
  write_header();
}

NpyWriter::~NpyWriter() {
  if (file_) std::remove(part_.c_str());
}

void NpyWriter::write_header() {
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", values_ / columns_, columns_);
  header.resize(kHeaderBytes - 11, ' ');
  header += '\n';
  const std::string magic("\x93NUMPY\x01\x00", 8);
  const auto length = static_cast<char>(kHeaderBytes - 10);
  header = magic + length + '\0' + header;
  if (std::fseek(file_.get(), 0, SEEK_SET) != 0 ||
      std::fwrite(header.data(), 1, header.size(), file_.get()) != header.size()) {
    fail("{}: cannot be written: {}", path_, std::strerror(errno));
  }
}

void NpyWriter::append(std::span<const float> values) {
  if (std::fwrite(values.data(), sizeof(float), values.size(), file_.get()) != values.size()) {
    fail("{}: cannot be written: {}", path_, std::strerror(errno));
  }
  values_ += values.size();
}

void NpyWriter::finish() {
  write_header();
  std::FILE* file = file_.release();
  if (std::fclose(file) != 0 || std::rename(part_.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    std::remove(part_.c_str());
    fail("{}: cannot be written: {}", path_, std::strerror(error));
  }
}

}  // namespace gpueval
