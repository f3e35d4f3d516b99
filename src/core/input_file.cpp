// SPDX-License-Identifier: Apache-2.0
#include "core/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "gpueval/error.h"

namespace gpueval {
namespace {

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

}  // namespace

std::string system_message(int code) { return std::generic_category().message(code); }

InputFile::InputFile(const std::string& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
  if (descriptor_ < 0) fail_file("{}: cannot be opened: {}", path, system_message(errno));
  struct stat status {};
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    const std::string found = known ? kind_of(status.st_mode) : system_message(errno);
    ::close(descriptor_);
    fail_file("{}: expected a regular file, found {}", path, found);
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read(std::uint64_t offset, std::span<std::uint8_t> dst) const {
  if (offset > size_ || dst.size() > size_ - offset) {
    fail_file("{}: ends at byte {}, expected {} bytes at byte {}", path_, size_, dst.size(), offset);
  }
  std::size_t done = 0;
  while (done < dst.size()) {
    const ssize_t got = ::pread(descriptor_, dst.data() + done, dst.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_file("{}: cannot be read at byte {}: {}", path_, offset + done, system_message(errno));
    if (got == 0) fail_file("{}: ends at byte {}; it was longer when opened", path_, offset + done);
    done += static_cast<std::size_t>(got);
  }
}

std::size_t read_at(int file, std::int64_t offset, char* bytes, std::size_t count) {
  std::size_t done = 0;
  while (done < count) {
    const ssize_t n = ::pread(file, bytes + done, count - done, offset + static_cast<std::int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

std::string read_file(const std::string& path, std::uint64_t max_bytes) {
  const InputFile file(path);
  if (file.size() > max_bytes) fail_file("{}: {} bytes, expected at most {}", path, file.size(), max_bytes);
  std::string text(file.size(), '\0');
  file.read(0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return text;
}

}  // namespace gpueval
