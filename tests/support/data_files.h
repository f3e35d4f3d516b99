// SPDX-License-Identifier: Apache-2.0
// Files of the tests of data sets: goldens, real data, temporary folders, and what an Error said.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "core/sha256.h"
#include "gpueval/dataset.h"
#include "gpueval/error.h"

namespace gpueval::test {

inline std::string data_golden(const std::string& name) {
  return std::string(GPUEVAL_SOURCE_DIR) + "/tests/golden/data/" + name;
}

inline std::string real_data(const std::string& name) {
  const char* folder = std::getenv("GPUEVAL_DATA");
  return std::string(folder != nullptr ? folder : GPUEVAL_DEFAULT_DATA) + "/" + name;
}

inline std::vector<std::uint8_t> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_bytes(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
}

inline void write_text(const std::filesystem::path& path, const std::string& text) { std::ofstream(path) << text; }

// "height x width, newline, bytes", as scripts/make_data_goldens.py hashes pixels.
inline std::string pixels_hash(const Image& image) {
  Sha256 sum;
  sum.update(std::string_view(fmt::format("{}x{}\n", image.height, image.width)));
  sum.update(std::as_bytes(std::span(image.rgb)));
  return sum.hex();
}

// What the Error thrown by fn says; fails the test and returns "" if it throws none.
template <typename Fn>
std::string error_of(Fn&& fn) {
  try {
    fn();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

// A folder of the running test, empty at first and removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "gpueval_test_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) fail("cannot make {}", name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace gpueval::test
