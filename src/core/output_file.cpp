// SPDX-License-Identifier: Apache-2.0
#include "core/output_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "core/input_file.h"
#include "core/stop_signal.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_to_write(const std::string& path, int code) {
  fail_file("{}: cannot be written: {}", path, system_message(code));
}

// Where writing to the path would end: behind its symbolic links, whether that exists or not.
std::string behind_links(const std::string& path) {
  std::error_code error;
  fs::path target = path;
  for (int depth = 0; fs::is_symlink(target, error) && depth < 40; ++depth) {
    const fs::path next = fs::read_symlink(target, error);
    if (error) break;
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
  return target.string();
}

bool same_file(int descriptor, const std::string& path) {
  struct stat open_one {
  }, named{};
  return ::fstat(descriptor, &open_one) == 0 && ::lstat(path.c_str(), &named) == 0 && open_one.st_dev == named.st_dev &&
         open_one.st_ino == named.st_ino;
}

}  // namespace

OutputFile::OutputFile(std::string path, Probe) : path_(std::move(path)), target_(behind_links(path_)) {
  struct stat status {};
  // By its own name: what the links of /dev/fd/63 lead to has none.
  if (::stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    if (S_ISDIR(status.st_mode)) fail_to_write(path_, EISDIR);
    if (S_ISBLK(status.st_mode)) fail_file("{}: cannot be written: it is a disk", path_);
    // A pipe that nobody reads is an error at once.
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor_ < 0) fail_to_write(path_, errno);
    ::fcntl(descriptor_, F_SETFL, ::fcntl(descriptor_, F_GETFL) & ~O_NONBLOCK);
    return;
  }
  part_ = target_ + ".part";
  open_part();
}

OutputFile::OutputFile(std::string path, Earlier earlier) : OutputFile(std::move(path), Probe{}) {
  if (!seekable()) return;
  if (earlier == Earlier::kDropped) {
    cut(0);
    return;
  }
  if (size() == 0) copy_target();
  if (::lseek(descriptor_, 0, SEEK_END) < 0) fail_to_write(path_, errno);
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  if (seekable() && !stays_ && same_file(descriptor_, part_)) ::unlink(part_.c_str());
  ::close(descriptor_);
}

void OutputFile::open_part() {
  // Twice: another run may have finished its .part file between our opening it and our locking it.
  for (int attempt = 0; attempt < 2; ++attempt) {
    descriptor_ = ::open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0666);
    if (descriptor_ < 0 && errno == ELOOP)
      fail_file("{}: cannot be written: {} is a symbolic link; remove it", path_, part_);
    if (descriptor_ < 0) fail_to_write(path_, errno);
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != ::geteuid() ||
        status.st_nlink > 1) {
      ::close(std::exchange(descriptor_, -1));
      fail_file("{}: cannot be written: {} is there and not a plain file of this user; remove it", path_, part_);
    }
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      ::close(std::exchange(descriptor_, -1));
      fail_file("{}: another run is writing it; wait for it or name another file", path_);
    }
    if (same_file(descriptor_, part_)) break;
    ::close(std::exchange(descriptor_, -1));
  }
  if (descriptor_ < 0) fail_file("{}: another run is writing it; wait for it or name another file", path_);
}

void OutputFile::copy_target() {
  std::ifstream source(target_, std::ios::binary);  // one that cannot be read is as none
  std::vector<char> block(1 << 20);
  while (source.read(block.data(), std::ssize(block)) || source.gcount() > 0)
    write_bytes(block.data(), static_cast<std::size_t>(source.gcount()), -1);
}

std::uint64_t OutputFile::size() const {
  struct stat status {};
  return seekable() && ::fstat(descriptor_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::size_t OutputFile::read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
  return gpueval::read_at(descriptor_, static_cast<std::int64_t>(offset), reinterpret_cast<char*>(bytes.data()),
                          bytes.size());
}

void OutputFile::cut(std::uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0 ||
      ::lseek(descriptor_, static_cast<off_t>(size), SEEK_SET) < 0)
    fail_to_write(path_, errno);
}

void OutputFile::leave_part() { stays_ = true; }

void OutputFile::write_bytes(const char* data, std::size_t bytes, std::int64_t offset) {
  while (bytes > 0) {
    const ssize_t done =
        offset < 0 ? ::write(descriptor_, data, bytes) : ::pwrite(descriptor_, data, bytes, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) {
      stop_point();  // only writing to a pipe can be interrupted, and its reader may never go on
      continue;
    }
    if (done <= 0) fail_to_write(path_, done < 0 ? errno : ENOSPC);
    // Only a signal ends writing to a pipe half-way.
    if (!seekable() && static_cast<std::size_t>(done) < bytes) stop_point();
    data += done;
    bytes -= static_cast<std::size_t>(done);
    if (offset >= 0) offset += done;
  }
}

void OutputFile::write(std::span<const std::byte> bytes) {
  write_bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size(), -1);
}

void OutputFile::write(std::string_view text) { write_bytes(text.data(), text.size(), -1); }

void OutputFile::write_at(std::uint64_t offset, std::string_view text) {
  GPUEVAL_CHECK(seekable(), "{} is a pipe or a device", path_);
  write_bytes(text.data(), text.size(), static_cast<std::int64_t>(offset));
}

void OutputFile::commit() {
  // Some file systems tell of a full disk only here.
  while (seekable() && ::fsync(descriptor_) != 0) {
    if (errno == EINTR) continue;
    if (errno == EINVAL || errno == EROFS) break;
    fail_to_write(path_, errno);
  }
  if (seekable() && ::rename(part_.c_str(), target_.c_str()) != 0) fail_to_write(path_, errno);
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0 && errno != EINTR) fail_to_write(path_, errno);
}

bool same_place(const std::string& a, const std::string& b) {
  struct stat first {
  }, second{};
  if (::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0) {
    return S_ISREG(first.st_mode) && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
  }
  const auto place = [](const std::string& path) {
    std::error_code error;  // a folder that is missing compares as it is written
    const fs::path target = fs::absolute(behind_links(path), error).lexically_normal();
    return fs::weakly_canonical(target.parent_path(), error) / target.filename();
  };
  return place(a) == place(b);
}

void check_writable(const std::string& path) {
  struct stat status {};
  // Whoever reads a pipe would take opening and closing it for the end.
  if (::stat(path.c_str(), &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))) return;
  OutputFile file(path, OutputFile::Probe{});
  if (file.size() > 0) file.leave_part();  // of a run that was killed, for the next to take up
}

void write_file(const std::string& path, std::string_view text) {
  OutputFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace gpueval
