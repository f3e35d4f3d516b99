// SPDX-License-Identifier: Apache-2.0
// Bad .keras archives: each gives one Error, none is unpacked beyond what a file of its size may hold.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zip.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "gpueval/error.h"
#include "gpueval/weights.h"
#include "io/weights/zip_archive.h"
#include "weights_writer.h"

namespace gpueval {
namespace {

using testing_weights::TempFile;
using testing_weights::Writer;

struct Entry {
  std::string name, bytes;
  int method = ZIP_CM_STORE;
  const char* password = nullptr;
};

void write_archive(const std::string& path, const std::vector<Entry>& entries) {
  std::filesystem::remove(path);
  zip_t* zip = zip_open(path.c_str(), ZIP_CREATE, nullptr);
  ASSERT_NE(zip, nullptr);
  for (const Entry& entry : entries) {
    const auto source = zip_source_buffer(zip, entry.bytes.data(), entry.bytes.size(), 0);
    const auto index = static_cast<zip_uint64_t>(zip_file_add(zip, entry.name.c_str(), source, 0));
    zip_set_file_compression(zip, index, entry.method, 0);
    if (entry.password != nullptr) zip_file_set_encryption(zip, index, ZIP_EM_AES_256, entry.password);
  }
  ASSERT_EQ(zip_close(zip), 0);
}

std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A good model.weights.h5.
std::string weights() {
  const TempFile temp(".weights.h5");
  {
    const Writer file(temp.path());
    file.dataset("/layers/conv2d/vars/0", {1, 1, 1, 64}, std::vector<float>(64, 0.5f));
  }
  return read_bytes(temp.path());
}

std::string error_of(const std::string& path) {
  try {
    read_weight_file(path);
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).rfind(path, 0), 0u) << error.what();
    return error.what();
  }
  return "no error";
}

void expect_error(const std::string& path, const std::string& part) {
  const std::string message = error_of(path);
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

std::int64_t peak_kilobytes() {
  rusage self{}, children{};
  getrusage(RUSAGE_SELF, &self);
  getrusage(RUSAGE_CHILDREN, &children);
  return std::max(self.ru_maxrss, children.ru_maxrss);
}

TEST(HostileArchive, ABombIsRefusedUnopened) {
  const TempFile temp(".keras");
  write_archive(temp.path(), {{"model.weights.h5", std::string(96u << 20, '\0'), ZIP_CM_DEFLATE}});
  ASSERT_LT(std::filesystem::file_size(temp.path()), 200'000u);
  const std::int64_t before = peak_kilobytes();
  expect_error(temp.path(), "would unpack to 100663296 bytes");
  EXPECT_LT(peak_kilobytes() - before, 10 * 1024);
}

// The declared size is a promise: bytes beyond it make the archive a damaged one.
TEST(HostileArchive, AnEntryThatIsLongerThanItSays) {
  const TempFile temp(".keras");
  write_archive(temp.path(), {{"model.weights.h5", std::string(80u << 20, '\0'), ZIP_CM_DEFLATE}});
  std::string bytes = read_bytes(temp.path());
  const std::string size("\x00\x00\x00\x05", 4), lie("\x00\x10\x00\x00", 4);
  for (std::size_t at = bytes.find(size); at != std::string::npos; at = bytes.find(size, at)) bytes.replace(at, 4, lie);
  std::ofstream(temp.path(), std::ios::binary) << bytes;
  expect_error(temp.path(), "'model.weights.h5' in the archive is damaged");
}

TEST(HostileArchive, TheLimitLetsEveryStoredFilePass) {
  for (const std::uint64_t bytes : {std::uint64_t{1}, std::uint64_t{1} << 20, std::uint64_t{1} << 40}) {
    EXPECT_GE(unpacked_limit(bytes), bytes);
  }
  EXPECT_LT(unpacked_limit(3000), 70u << 20);
}

TEST(HostileArchive, OtherPackingEncryptionAndDoubleNames) {
  const TempFile temp(".keras");
  if (zip_compression_method_supported(ZIP_CM_BZIP2, 1)) {
    write_archive(temp.path(), {{"model.weights.h5", weights(), ZIP_CM_BZIP2}});
    expect_error(temp.path(), "is packed by method 12");
  }
  if (zip_encryption_method_supported(ZIP_EM_AES_256, 1)) {
    write_archive(temp.path(), {{"model.weights.h5", weights(), ZIP_CM_STORE, "secret"}});
    expect_error(temp.path(), "is encrypted");
  }
  write_archive(temp.path(), {{"model.weights.h5", weights()}, {"nodel.weights.h5", weights()}});
  std::string bytes = read_bytes(temp.path());
  for (std::size_t at = 0; (at = bytes.find("nodel")) != std::string::npos;) bytes[at] = 'm';
  std::ofstream(temp.path(), std::ios::binary) << bytes;
  expect_error(temp.path(), "is in the archive 2 times");
}

TEST(HostileArchive, AWrongByteInTheWeightsIsFound) {
  const TempFile temp(".keras");
  write_archive(temp.path(), {{"model.weights.h5", weights()}});
  ASSERT_EQ(error_of(temp.path()), "no error");
  std::string bytes = read_bytes(temp.path());
  const std::size_t half = bytes.find(std::string("\x00\x00\x00\x3f\x00\x00\x00\x3f", 8));
  ASSERT_NE(half, std::string::npos);
  bytes[half + 2] = 1;  // still a finite number
  std::ofstream(temp.path(), std::ios::binary) << bytes;
  expect_error(temp.path(), "'model.weights.h5' in the archive is damaged");
}

TEST(HostileArchive, ManyEntriesAndOtherArchives) {
  const TempFile temp(".keras");
  std::vector<Entry> many{{"model.weights.h5", weights()}};
  for (int i = 0; i < 10'000; ++i) many.push_back({std::to_string(i), ""});
  write_archive(temp.path(), many);
  expect_error(temp.path(), "found a zip file of 10001 entries");
  write_archive(temp.path(), {{"archive/data.pkl", "x"}, {"archive/version", "3"}});
  expect_error(temp.path(), "found a PyTorch file");
  write_archive(temp.path(), {{"arr_0.npy", "x"}});
  expect_error(temp.path(), "found a NumPy archive");
  write_archive(temp.path(), {{"model.weights.json", "{}"}});
  expect_error(temp.path(), "split over several files");
  write_archive(temp.path(), {{"inner.keras", "PK"}});
  expect_error(temp.path(), "with a .keras archive in it");
  write_archive(temp.path(), {{"readme", "x"}});
  expect_error(temp.path(), "found a zip file without 'model.weights.h5'");
  write_archive(temp.path(), {{"model.weights.h5", ""}});
  expect_error(temp.path(), "is empty");
}

TEST(HostileArchive, DescriptionsThatAreNone) {
  const TempFile temp(".keras");
  const auto config = [&](const std::string& json) {
    write_archive(temp.path(), {{"config.json", json, ZIP_CM_DEFLATE}, {"model.weights.h5", weights()}});
  };
  config(std::string(65, '[') + std::string(65, ']'));
  expect_error(temp.path(), "at most 64 levels");
  config("{");
  expect_error(temp.path(), "expected JSON");
  config(std::string((8u << 20) + 1, ' '));
  expect_error(temp.path(), "'config.json' has 8388609 bytes, expected at most 8388608");
  config(R"({"class_name": "Functional", "config": {"layers": [7]}})");
  expect_error(temp.path(), "is no description that Keras writes");
  config("{}");
  EXPECT_EQ(error_of(temp.path()), "no error");
}

}  // namespace
}  // namespace gpueval
