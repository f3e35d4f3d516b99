// SPDX-License-Identifier: Apache-2.0
// Guards the promise that a data set of gigabytes is indexed, not loaded: a sparse file, so that the test is quick.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>

#include "support/data_files.h"

namespace gpueval {
namespace {

constexpr int kImages = 5000;
constexpr std::uint32_t kImageBytes = 1'000'000;

class SparseWriter {
 public:
  explicit SparseWriter(const std::string& path) : descriptor_(open(path.c_str(), O_WRONLY | O_CREAT, 0600)) {}
  ~SparseWriter() { close(descriptor_); }
  SparseWriter(const SparseWriter&) = delete;
  SparseWriter& operator=(const SparseWriter&) = delete;
  void write(const std::string& bytes) {
    ASSERT_EQ(pwrite(descriptor_, bytes.data(), bytes.size(), at_), std::ssize(bytes));
    at_ += std::ssize(bytes);
  }
  void hole(std::int64_t bytes) { at_ += bytes; }

 private:
  int descriptor_;
  off_t at_ = 0;
};

std::string little_endian(std::uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 255));
  return bytes;
}

void write_big_pickle(const std::string& path) {
  SparseWriter file(path);
  file.write(
      "\x80\x04}(\x8c\x04"
      "data](");
  for (int i = 0; i < kImages; ++i) {
    file.write("B" + little_endian(kImageBytes));
    file.hole(kImageBytes);
    file.write("\x94");
  }
  std::string targets = "e\x8c\x06target](";
  for (int i = 0; i < kImages; ++i) targets += "J" + little_endian(static_cast<std::uint32_t>(i % 1000));
  file.write(targets + "eu.");
}

std::int64_t peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(BigPickle, FiveGigabytesAreIndexedInLittleMemory) {
  const test::TemporaryFolder folder;
  write_big_pickle(folder / "big.pkl");
  ASSERT_GT(std::filesystem::file_size(folder / "big.pkl"), 5'000'000'000u);
  const std::int64_t before = peak_kilobytes();
  const auto data = open_dataset(folder / "big.pkl", "");
  ASSERT_EQ(data->size(), static_cast<std::size_t>(kImages));
  EXPECT_EQ(data->label(4999), 999);
  for (std::size_t i = 0; i < data->size(); i += 10) EXPECT_THROW(data->decode(i), Error);  // zeros are no JPEG
  EXPECT_LT(peak_kilobytes() - before, 32 * 1024);
}

}  // namespace
}  // namespace gpueval
