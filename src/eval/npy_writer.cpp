// SPDX-License-Identifier: Apache-2.0
#include "eval/npy_writer.h"

#include <fmt/format.h>

#include <bit>
#include <utility>

#include "gpueval/error.h"

namespace gpueval {
namespace {

constexpr std::size_t kHeaderBytes = 128;  // 10 bytes of magic, version and length, then the padded dictionary
static_assert(std::endian::native == std::endian::little, "the file is written as little-endian float32");

}  // namespace

NpyWriter::NpyWriter(std::string path, std::size_t columns) : columns_(columns), file_(std::move(path)) {
  // The count of rows, which stands in front, is known last.
  if (!file_.seekable())
    fail_file("{}: expected a new or a regular file to write logits to, this is neither", file_.path());
  file_.write(header());
}

std::string NpyWriter::header() const {
  std::string text =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", values_ / columns_, columns_);
  text.resize(kHeaderBytes - 11, ' ');
  text += '\n';
  const std::string magic("\x93NUMPY\x01\x00", 8);
  const auto length = static_cast<char>(kHeaderBytes - 10);
  return magic + length + '\0' + text;
}

void NpyWriter::append(std::span<const float> values) {
  file_.write(std::as_bytes(values));
  values_ += values.size();
}

void NpyWriter::finish() {
  file_.write_at(0, header());
  file_.commit();
}

}  // namespace gpueval
