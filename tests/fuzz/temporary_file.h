// SPDX-License-Identifier: Apache-2.0
// A file in a folder of this process, written anew for every input: for what reads paths, not bytes.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace gpueval::fuzz {

class TemporaryFile {
 public:
  explicit TemporaryFile(const char* name) {
    const bool memory = std::filesystem::is_directory("/dev/shm");  // a disk would be what is measured
    std::string pattern = std::string(memory ? "/dev/shm" : "/tmp") + "/gpueval_fuzz_XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    folder_ = pattern;
    path_ = folder_ + '/' + name;
  }
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }
  void write(const void* bytes, std::size_t size) const {
    std::FILE* file = std::fopen(path_.c_str(), "wb");
    if (file == nullptr || std::fwrite(bytes, 1, size, file) != size || std::fclose(file) != 0) std::abort();
  }

 private:
  std::string folder_, path_;
};

}  // namespace gpueval::fuzz
