// SPDX-License-Identifier: Apache-2.0
// Only the decoder's verdict on an image's bytes may leave the image out. Whatever else goes wrong ends the run, and
// what was judged until then stays for --resume.
#include <gtest/gtest.h>

#include <filesystem>
#include <new>

#include "fakes.h"
#include "gpueval/accuracy.h"

namespace gpueval {
namespace {

using test::answer;
using test::FakeDataset;
using test::FakeEngine;

// Image `broken` is not to be had, for a reason that has nothing to do with its bytes.
class BrokenDataset : public FakeDataset {
 public:
  BrokenDataset(std::size_t count, std::size_t broken, bool memory = false)
      : FakeDataset(count, {3}), broken_(broken), memory_(memory) {}
  Image decode(std::size_t index) const override {
    if (index == broken_ && memory_) throw std::bad_alloc();
    if (index == broken_) fail("image {}: cannot be opened: Input/output error", index);
    return FakeDataset::decode(index);
  }

 private:
  std::size_t broken_;
  bool memory_;
};

AccuracyOptions options(std::size_t count) {
  AccuracyOptions result;
  result.preprocessing.input = test::fake_input();
  result.count = count;
  result.batch = 8;
  return result;
}

std::string error_of_run(const Dataset& data, const AccuracyOptions& how, FakeEngine& engine) {
  Engine* engines[]{&engine};
  try {
    run_accuracy(data, engines, how);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    return error.what();
  }
  return "";
}

class Failures : public ::testing::Test {
 protected:
  Failures() {
    std::string name = (std::filesystem::temp_directory_path() / "gpueval_failures_XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Failures() override { std::filesystem::remove_all(folder_); }
  std::string journal() const { return (folder_ / "run.journal").string(); }
  FakeEngine engine_{answer([](int grey) { return grey % 10; })};

 private:
  std::filesystem::path folder_;
};

TEST_F(Failures, AnUnreadableFileEndsTheRun) {
  EXPECT_EQ(error_of_run(BrokenDataset(200, 70), options(200), engine_),
            "image 70: cannot be opened: Input/output error");
  test::FakePipelinedEngine pipelined(answer([](int grey) { return grey % 10; }));
  EXPECT_EQ(error_of_run(BrokenDataset(200, 70), options(200), pipelined),
            "image 70: cannot be opened: Input/output error");
  EXPECT_TRUE(pipelined.under_way.empty());
}

TEST_F(Failures, WantOfMemoryEndsTheRun) {
  EXPECT_EQ(error_of_run(BrokenDataset(200, 70, true), options(200), engine_),
            "image 70: not enough memory to decode it; fewer --threads need less");
}

TEST_F(Failures, WhatWasJudgedBeforeIsKeptForResume) {
  AccuracyOptions how = options(200);
  how.journal = journal();
  how.journal_key = "key";
  how.save_logits = journal() + ".npy";
  EXPECT_EQ(error_of_run(BrokenDataset(200, 70), how, engine_),
            "image 70: cannot be opened: Input/output error; the 64 images before it are kept: --resume goes on behind "
            "them");
  EXPECT_EQ(std::filesystem::file_size(how.save_logits + ".part"), 128 + 63 * 10 * sizeof(float));
  how.resume = true;
  Engine* engines[]{&engine_};
  const FakeDataset whole(200, {3});
  const AccuracyRun resumed = run_accuracy(whole, engines, how);
  EXPECT_EQ(resumed.replayed, 64u);
  EXPECT_EQ(resumed.skipped.size(), 1u) << "the image that could not be read was journalled as damaged";
  EXPECT_EQ(resumed.rows[0].images, 199);
  EXPECT_EQ(std::filesystem::file_size(how.save_logits), 128 + 199 * 10 * sizeof(float));
  EXPECT_EQ(resumed.rows[0].logits_sha256, run_accuracy(whole, engines, options(200)).rows[0].logits_sha256);
}

TEST_F(Failures, NothingJudgedIsAnError) {
  EXPECT_EQ(error_of_run(FakeDataset(3, {0, 1, 2}), options(3), engine_),
            "fake: none of the 3 images could be decoded, so nothing was judged; the first: image 0: not a JPEG");
  EXPECT_EQ(error_of_run(FakeDataset(3), options(0), engine_), "fake: there is no image to judge");
}

TEST_F(Failures, StoppedBeforeTheFirstImageIsNone) {
  AccuracyOptions how = options(3);
  how.stop = [] { return true; };
  const FakeDataset data(3);
  Engine* engines[]{&engine_};
  EXPECT_TRUE(run_accuracy(data, engines, how).interrupted);
}

TEST_F(Failures, CalibrationEndsToo) {
  const BrokenDataset data(20, 9);
  std::vector<SkippedImage> skipped;
  const auto source = image_source(data, make_preprocessing(test::fake_input(), data), 0, 20, &skipped);
  std::vector<float> batch;
  EXPECT_EQ(source(batch, 8), 7);
  EXPECT_EQ(skipped.size(), 1u);
  EXPECT_THROW(source(batch, 8), Error);
}

TEST_F(Failures, ASourceWithoutAnyImageNamesFileAndReason) {
  const FakeDataset data(20, {0, 1, 2, 3, 4});
  const auto source = image_source(data, make_preprocessing(test::fake_input(), data), 0, 5, nullptr);
  std::vector<float> batch;
  try {
    source(batch, 2);
    ADD_FAILURE() << "an empty source";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "fake: none of the 5 images could be decoded; the first: image 0: not a JPEG");
  }
}

}  // namespace
}  // namespace gpueval
