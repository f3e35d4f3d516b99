// SPDX-License-Identifier: Apache-2.0
#include "core/cache_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "core/input_file.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// What is wrong with its owner or mode; empty: nothing.
std::string lack_of_privacy(const struct stat& status) {
  if (status.st_uid != ::geteuid()) {
    return fmt::format("belongs to user {}, expected to find it owned by this user ({})", status.st_uid, ::geteuid());
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) return "can be written by others: take that right away (chmod go-w)";
  return "";
}

}  // namespace

std::string cache_folder() {
  if (const std::string own = environment("GPUEVAL_CACHE"); !own.empty()) return own;
  if (const fs::path cache = environment("XDG_CACHE_HOME"); cache.is_absolute()) return (cache / "gpueval").string();
  if (const fs::path home = environment("HOME"); home.is_absolute()) return (home / ".cache" / "gpueval").string();
  return "";
}

void make_private_folder(const std::string& path) {
  const fs::path folder = fs::path(path).has_filename() ? fs::path(path) : fs::path(path).parent_path();
  std::error_code error;
  if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), error);  // mkdir() tells what matters
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    fail_file("{}: the folder cannot be made: {}", path, system_message(errno));
  }
  struct stat status {};
  if (::lstat(folder.c_str(), &status) != 0)
    fail_file("{}: the folder cannot be used: {}", path, system_message(errno));
  if (S_ISLNK(status.st_mode)) fail_file("{}: is a symbolic link, a folder is expected: name the folder itself", path);
  if (!S_ISDIR(status.st_mode)) fail_file("{}: is not a folder", path);
  if (const std::string lack = lack_of_privacy(status); !lack.empty()) fail_file("{}: the folder {}", path, lack);
}

int open_private_file(const std::string& path, PrivateAccess access) {
  const bool writes = access == PrivateAccess::kWrite;
  const int flags = (writes ? O_RDWR | O_CREAT : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  const int file = ::open(path.c_str(), flags, 0600);
  if (file < 0 && !writes && (errno == ENOENT || errno == ENOTDIR)) return -1;
  if (file < 0 && errno == ELOOP) fail_file("{}: is a symbolic link, a plain file is expected", path);
  if (file < 0) fail_file("{}: cannot be opened: {}", path, system_message(errno));
  struct stat status {};
  std::string lack = ::fstat(file, &status) != 0 ? "cannot be examined" : lack_of_privacy(status);
  if (!S_ISREG(status.st_mode)) lack = "is not a plain file";
  if (lack.empty() && status.st_nlink > 1) lack = "has a second name (a hard link): remove it";
  if (lack.empty()) return file;
  ::close(file);
  fail_file("{}: {}", path, lack);
}

}  // namespace gpueval
