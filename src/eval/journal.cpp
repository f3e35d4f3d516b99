// SPDX-License-Identifier: Apache-2.0
#include "eval/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "core/sha256.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

static_assert(std::endian::native == std::endian::little, "the journal is written as little-endian numbers");
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kDigestBytes = 64;
constexpr std::size_t kRecordHeadBytes = 8 + kDigestBytes;
constexpr std::uint64_t kMaxBodyBytes = std::uint64_t{1} << 32;

std::string digest(std::string_view text) {
  Sha256 sum;
  sum.update(text);
  return sum.hex();
}

template <typename T>
void put(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}
void put_text(std::string& out, const std::string& text) {
  put<std::uint64_t>(out, text.size());
  out += text;
}

// Reads a body front to back; `ok` turns false, for good, where the body is too short.
struct Reader {
  std::string_view rest;
  bool ok = true;

  std::uint64_t number() {
    std::uint64_t value = 0;
    if (rest.size() < sizeof(value)) {
      ok = false;
      return 0;
    }
    std::memcpy(&value, rest.data(), sizeof(value));
    rest.remove_prefix(sizeof(value));
    return value;
  }
  std::string text() {
    const std::uint64_t length = number();
    if (!ok || length > rest.size()) {
      ok = false;
      return {};
    }
    std::string result(rest.substr(0, length));
    rest.remove_prefix(length);
    return result;
  }
};

std::string encode(const ChunkResult& chunk) {
  std::string body;
  put<std::uint64_t>(body, chunk.first);
  put<std::uint64_t>(body, chunk.count);
  put<std::uint64_t>(body, chunk.images.size());
  put<std::uint64_t>(body, chunk.skipped.size());
  for (const std::size_t image : chunk.images) put<std::uint64_t>(body, image);
  for (const SkippedImage& image : chunk.skipped) {
    put<std::uint64_t>(body, image.index);
    put_text(body, image.name);
    put_text(body, image.reason);
  }
  for (const std::vector<float>& logits : chunk.logits) {
    body.append(reinterpret_cast<const char*>(logits.data()), logits.size() * sizeof(float));
  }
  return body;
}

bool decode(std::string_view body, std::size_t engines, std::size_t classes, ChunkResult& chunk) {
  Reader in{body};
  chunk.first = in.number();
  chunk.count = in.number();
  const std::uint64_t judged = in.number(), skipped = in.number();
  if (!in.ok || judged > body.size() || skipped > body.size() || judged + skipped != chunk.count) return false;
  chunk.images.resize(judged);
  for (std::size_t& image : chunk.images) image = in.number();
  chunk.skipped.resize(skipped);
  for (SkippedImage& image : chunk.skipped) {
    image.index = in.number();
    image.name = in.text();
    image.reason = in.text();
  }
  if (!in.ok || in.rest.size() != engines * judged * classes * sizeof(float)) return false;
  chunk.logits.assign(engines, std::vector<float>(judged * classes));
  for (std::vector<float>& logits : chunk.logits) {
    const std::size_t bytes = logits.size() * sizeof(float);
    if (bytes > 0) std::memcpy(logits.data(), in.rest.data(), bytes);
    in.rest.remove_prefix(bytes);
  }
  return true;
}

}  // namespace

Journal::Journal(std::string path, const std::string& key, std::size_t engines, std::size_t classes, bool resume)
    : path_(std::move(path)), engines_(engines), classes_(classes) {
  std::error_code ignored;  // open() below reports what matters
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0) fail("{}: the journal for --resume cannot be written: {}", path_, std::strerror(errno));
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    ::close(std::exchange(file_, -1));
    fail("{}: the journal for --resume is in use by another run of the same measurement; wait for it or stop it",
         path_);
  }
  std::string header = "GPUEVALJ";
  put(header, kVersion);
  put(header, static_cast<std::uint32_t>(engines));
  put(header, static_cast<std::uint32_t>(classes));
  header += digest(key);
  position_ = static_cast<std::int64_t>(header.size());
  if (!resume || read_at(0, header.size()) != header) start_anew(header);
}

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

void Journal::start_anew(const std::string& header) {
  if (::ftruncate(file_, 0) != 0)
    fail("{}: the journal for --resume cannot be written: {}", path_, std::strerror(errno));
  write_at(0, header);
}

std::string Journal::read_at(std::int64_t offset, std::size_t bytes) const {
  std::string result(bytes, '\0');
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t n = ::pread(file_, result.data() + done, bytes - done, offset + static_cast<std::int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  result.resize(done);
  return result;
}

void Journal::write_at(std::int64_t offset, const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pwrite(file_, bytes.data() + done, bytes.size() - done, offset + static_cast<std::int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("{}: the journal for --resume cannot be written: {}", path_, std::strerror(errno));
    done += static_cast<std::size_t>(n);
  }
}

bool Journal::replay(ChunkResult& chunk) {
  const std::string head = read_at(position_, kRecordHeadBytes);
  if (head.size() == kRecordHeadBytes) {
    const std::uint64_t bytes = Reader{head}.number();
    struct stat status {};
    const bool fits = ::fstat(file_, &status) == 0 && bytes <= kMaxBodyBytes &&
                      bytes <= static_cast<std::uint64_t>(std::max<std::int64_t>(status.st_size - position_, 0));
    if (fits) {
      const std::string body = read_at(position_ + static_cast<std::int64_t>(kRecordHeadBytes), bytes);
      if (body.size() == bytes && head.substr(8) == digest(body) && decode(body, engines_, classes_, chunk)) {
        position_ += static_cast<std::int64_t>(kRecordHeadBytes + bytes);
        return true;
      }
    }
  }
  if (::ftruncate(file_, position_) != 0)
    fail("{}: the journal for --resume cannot be written: {}", path_, std::strerror(errno));
  return false;
}

void Journal::append(const ChunkResult& chunk) {
  const std::string body = encode(chunk);
  std::string record;
  put<std::uint64_t>(record, body.size());
  record += digest(body);
  record += body;
  write_at(position_, record);
  position_ += static_cast<std::int64_t>(record.size());
}

}  // namespace gpueval
