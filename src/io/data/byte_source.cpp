// SPDX-License-Identifier: Apache-2.0
#include "io/data/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "gpueval/error.h"

namespace gpueval::data {
namespace {

std::string system_message(int code) { return std::generic_category().message(code); }

}  // namespace

void MemorySource::read(std::uint64_t offset, std::span<std::uint8_t> dst) const {
  if (offset > bytes_.size() || dst.size() > bytes_.size() - offset) {
    fail("{}: ends at byte {}, expected {} bytes at byte {}", name(), bytes_.size(), dst.size(), offset);
  }
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), dst.size(), dst.begin());
}

FileSource::FileSource(const std::string& path)
    : ByteSource(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) fail("{}: cannot be opened: {}", path, system_message(errno));
  struct stat status {};
  if (fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(descriptor_);
    fail("{}: is not a regular file", path);
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

FileSource::~FileSource() { close(descriptor_); }

void FileSource::read(std::uint64_t offset, std::span<std::uint8_t> dst) const {
  if (offset > size_ || dst.size() > size_ - offset) {
    fail("{}: ends at byte {}, expected {} bytes at byte {}", name(), size_, dst.size(), offset);
  }
  std::size_t done = 0;
  while (done < dst.size()) {
    const ssize_t got = pread(descriptor_, dst.data() + done, dst.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("{}: cannot be read at byte {}: {}", name(), offset + done, system_message(errno));
    if (got == 0) fail("{}: ends at byte {}; it was longer when opened", name(), offset + done);
    done += static_cast<std::size_t>(got);
  }
}

}  // namespace gpueval::data
