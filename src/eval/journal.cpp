// SPDX-License-Identifier: Apache-2.0
#include "eval/journal.h"

#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/cache_folder.h"
#include "core/input_file.h"
#include "eval/journal_record.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

constexpr std::uint32_t kVersion = 3;

std::string make_header(const std::string& key, const JournalShape& shape) {
  std::string header = "GPUEVALJ";
  for (const std::size_t value : {std::size_t{kVersion}, shape.engines}) {
    const auto number = static_cast<std::uint32_t>(value);
    char bytes[sizeof(number)];
    std::memcpy(bytes, &number, sizeof(number));
    header.append(bytes, sizeof(number));
  }
  Sha256 sum;
  sum.update(key);
  return header + sum.hex();
}

[[noreturn]] void fail_to_write(const std::string& path) {
  fail_file("{}: the journal for --resume cannot be written: {}", path, system_message(errno));
}

}  // namespace

Journal::Journal(std::string path, const std::string& key, const JournalShape& shape, bool resume)
    : path_(std::move(path)), shape_(shape), next_image_(shape.first) {
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  make_private_folder(folder.empty() ? "." : folder.string());
  file_ = open_private_file(path_, PrivateAccess::kWrite);
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    ::close(std::exchange(file_, -1));
    fail_file("{}: the journal for --resume is in use by another run of the same measurement; wait for it or stop it",
              path_);
  }
  const std::string header = make_header(key, shape);
  position_ = static_cast<std::int64_t>(header.size());
  std::string found(header.size(), '\0');
  found.resize(read_at(file_, 0, found.data(), found.size()));
  if (resume && found == header) return;
  try {
    start_anew(header);
  } catch (const Error&) {
    ::close(std::exchange(file_, -1));
    throw;
  }
}

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

void Journal::start_anew(const std::string& header) {
  if (::ftruncate(file_, 0) != 0) fail_to_write(path_);
  write_at(0, header);
}

void Journal::write_at(std::int64_t offset, const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pwrite(file_, bytes.data() + done, bytes.size() - done, offset + static_cast<std::int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail_to_write(path_);
    done += static_cast<std::size_t>(n);
  }
}

bool Journal::replay(ChunkResult& chunk) {
  const std::int64_t bytes = read_record(file_, position_, shape_, next_image_, chunk);
  if (bytes == 0) {
    if (::ftruncate(file_, position_) != 0) fail_to_write(path_);
    return false;
  }
  before_ = std::exchange(position_, position_ + bytes);
  next_image_ = chunk.first + chunk.count;
  return true;
}

void Journal::take_back(const ChunkResult& chunk) {
  position_ = before_;
  next_image_ = chunk.first;
  if (::ftruncate(file_, position_) != 0) fail_to_write(path_);
}

void Journal::append(const ChunkResult& chunk) {
  GPUEVAL_CHECK(chunk.first == next_image_ && chunk.count <= kMostImages, "images {} to {} behind image {}",
                chunk.first, chunk.first + chunk.count, next_image_);
  const std::string record = encode_record(chunk);
  write_at(position_, record);
  position_ += static_cast<std::int64_t>(record.size());
  next_image_ = chunk.first + chunk.count;
}

}  // namespace gpueval
