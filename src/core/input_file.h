// SPDX-License-Identifier: Apache-2.0
// Files that a user named, for reading. Opened without blocking and only if regular: a pipe without a writer would wait
// for ever, a device could do anything. Read by pread, not mapped: the pages of a mapping of several gigabytes would
// count as this process's memory, and a file cut short while mapped would end it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace gpueval {

// Throws Error that names the path, what was found there and the system's reason.
class InputFile {
 public:
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }    // when it was opened
  int descriptor() const { return descriptor_; }  // stays this object's
  // Fills dst from `offset`; thread-safe. Error if the file ends before.
  void read(std::uint64_t offset, std::span<std::uint8_t> dst) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

// Of an open file, at an offset: how many bytes there are, fewer at its end or where reading fails.
std::size_t read_at(int file, std::int64_t offset, char* bytes, std::size_t count);

// All of a file of at most max_bytes.
std::string read_file(const std::string& path, std::uint64_t max_bytes);

// The system's words for an errno value: "No such file or directory".
std::string system_message(int code);

}  // namespace gpueval
