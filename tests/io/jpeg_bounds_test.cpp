// SPDX-License-Identifier: Apache-2.0
// Pictures made to take hours or gigabytes are refused before they do; ordinary ones are not touched by it.
#include <atomic>
#include <chrono>
#include <thread>

#include "io/data/decode_memory.h"
#include "io/data/jpeg_scans.h"
#include "support/data_files.h"

namespace gpueval::data {
namespace {

using test::data_golden;
using test::error_of;
using test::read_bytes;
using Bytes = std::vector<std::uint8_t>;

// Where the last scan begins: its marker.
std::size_t last_scan(const Bytes& bytes) {
  std::size_t found = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    if (bytes[i] == 0xff && bytes[i + 1] == 0xda) found = i;
  }
  return found;
}

// The picture with its last scan `times` times.
Bytes with_scans(const Bytes& bytes, int times) {
  const auto scan = bytes.begin() + static_cast<std::ptrdiff_t>(last_scan(bytes)), end = bytes.end() - 2;
  Bytes result(bytes.begin(), scan);
  for (int i = 0; i < times; ++i) result.insert(result.end(), scan, end);
  result.insert(result.end(), end, bytes.end());
  return result;
}

Bytes with_size(Bytes bytes, int height, int width) {
  for (std::size_t i = 0; i + 9 < bytes.size(); ++i) {
    if (bytes[i] != 0xff || (bytes[i + 1] != 0xc0 && bytes[i + 1] != 0xc2)) continue;
    bytes[i + 5] = static_cast<std::uint8_t>(height >> 8);
    bytes[i + 6] = static_cast<std::uint8_t>(height);
    bytes[i + 7] = static_cast<std::uint8_t>(width >> 8);
    bytes[i + 8] = static_cast<std::uint8_t>(width);
    break;
  }
  return bytes;
}

TEST(JpegScans, AreCounted) {
  EXPECT_EQ(jpeg_scans(read_bytes(data_golden("color420.jpg"))).count, 1);
  EXPECT_EQ(jpeg_scans(read_bytes(data_golden("color420.jpg"))).coefficient_bytes, 0u);
  EXPECT_EQ(jpeg_scans(read_bytes(data_golden("restart.jpg"))).count, 1);
  const Bytes progressive = read_bytes(data_golden("progressive.jpg"));
  const int scans = jpeg_scans(progressive).count;
  EXPECT_EQ(scans, 10) << "as libjpeg's own script for colour pictures has it";
  EXPECT_EQ(jpeg_scans(with_scans(progressive, 100)).count, scans + 99);
  for (std::size_t size = 0; size <= progressive.size(); ++size) {
    EXPECT_LE(jpeg_scans(std::span(progressive).first(size)).count, scans) << size;
  }
}

// 4:2:0: one and a half samples a pixel, two bytes each, whole units of 16 x 16.
TEST(JpegScans, CoefficientsOfTheWholePicture) {
  const Bytes bytes = with_size(read_bytes(data_golden("progressive.jpg")), 160, 330);
  EXPECT_EQ(jpeg_scans(bytes).coefficient_bytes, 160u * 336 * 3);
}

TEST(JpegBounds, ThousandsOfScansAreRefused) {
  const Bytes bytes = read_bytes(data_golden("progressive.jpg"));
  EXPECT_NE(error_of([&] { decode_jpeg(with_scans(bytes, 600), "many.jpg"); }).find("many.jpg: corrupt JPEG"),
            std::string::npos);
  EXPECT_THROW(decode_jpeg(with_scans(bytes, 600), "many.jpg"), BadImage);
}

TEST(JpegBounds, ScansTimesPixelsAreBounded) {
  const Bytes bytes = with_scans(with_size(read_bytes(data_golden("progressive.jpg")), 10000, 10000), 20);
  EXPECT_EQ(error_of([&] { decode_jpeg(bytes, "x.jpg"); }),
            "x.jpg: 29 scans of 10000 x 10000 pixels, expected at most 2000000000 pixels in all scans together");
}

TEST(JpegBounds, RealManyScansAreRefusedAtOnce) {
  const std::string path = test::real_data("faults/hostile/many_scans.jpg");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
  const Bytes bytes = read_bytes(path);
  EXPECT_EQ(jpeg_scans(bytes).count, 2601);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(read_image(path), BadImage);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(500));
}

// Two pictures that do not fit together wait for each other; small ones go on.
TEST(DecodeMemory, LargePicturesTakeTurns) {
  std::atomic<int> at_work{0}, most{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const DecodeMemory memory;
      memory.reserve(DecodeMemory::kBudget / 5 * 3);
      most = std::max(most.load(), ++at_work);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      --at_work;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
}

TEST(DecodeMemory, IsHeldToTheEndOfTheOuterScope) {
  std::atomic<bool> done{false};
  std::thread other;
  {
    const DecodeMemory outer;
    {
      const DecodeMemory inner;
      inner.reserve(DecodeMemory::kBudget * 2);
      inner.reserve(DecodeMemory::kBudget);  // must not wait for itself
    }
    other = std::thread([&] {
      const DecodeMemory memory;
      memory.reserve(1);
      done = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_FALSE(done);
  }
  other.join();
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace gpueval::data
