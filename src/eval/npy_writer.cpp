// SPDX-License-Identifier: Apache-2.0
#include "eval/npy_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <numeric>
#include <utility>

#include "core/sha256.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

constexpr std::size_t kHeaderBytes = 128;  // 10 bytes of magic, version and length, then the padded dictionary
static_assert(std::endian::native == std::endian::little, "the file is written as little-endian float32");

}  // namespace

NpyWriter::NpyWriter(std::string path, std::size_t columns, bool resume)
    : columns_(columns),
      extents_(fmt::format("{}", columns)),
      file_(std::move(path), resume ? Earlier::kKept : Earlier::kDropped),
      resuming_(resume) {
  // The count of rows, which stands in front, is known last.
  if (!file_.seekable())
    fail_file("{}: expected a new or a regular file to write logits to, this is neither", file_.path());
  if (!resuming_ || file_.size() < kHeaderBytes) file_.cut(0);
  file_.write_at(0, header());
  if (file_.size() == kHeaderBytes) end_resuming();
}

NpyWriter::NpyWriter(std::string path, const std::vector<int>& extents)
    : NpyWriter(std::move(path),
                std::accumulate(extents.begin(), extents.end(), std::size_t{1},
                                [](std::size_t n, int e) { return n * static_cast<std::size_t>(e); })) {
  extents_ = fmt::format("{}", fmt::join(extents, ", "));
}

bool NpyWriter::keeps(const std::vector<std::string>& row_sha256) {
  std::vector<float> row(columns_);
  for (std::size_t i = 0; resuming_ && i < row_sha256.size(); ++i) {
    const std::span<std::byte> bytes = std::as_writable_bytes(std::span(row));
    Sha256 sum;
    if (file_.read_at(kHeaderBytes + (values_ + i * columns_) * sizeof(float), bytes) == bytes.size())
      sum.update(bytes);
    if (sum.bytes() != row_sha256[i]) end_resuming();
  }
  if (resuming_) values_ += row_sha256.size() * columns_;
  return resuming_;
}

void NpyWriter::end_resuming() {
  file_.cut(kHeaderBytes + values_ * sizeof(float));
  resuming_ = false;
}

std::string NpyWriter::header() const {
  std::string text =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", values_ / columns_, extents_);
  text.resize(kHeaderBytes - 11, ' ');
  text += '\n';
  const std::string magic("\x93NUMPY\x01\x00", 8);
  const auto length = static_cast<char>(kHeaderBytes - 10);
  return magic + length + '\0' + text;
}

void NpyWriter::append(std::span<const float> values) {
  if (resuming_) end_resuming();
  file_.write(std::as_bytes(values));
  values_ += values.size();
}

void NpyWriter::finish() {
  if (resuming_) end_resuming();
  file_.write_at(0, header());
  file_.commit();
}

}  // namespace gpueval
