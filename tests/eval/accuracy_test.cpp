// SPDX-License-Identifier: Apache-2.0
#include "gpueval/accuracy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "core/sha256.h"
#include "eval/chunk_size.h"
#include "fakes.h"
#include "gpueval/classification.h"

namespace gpueval {
namespace {

using test::answer;
using test::fake_input;
using test::FakeDataset;
using test::FakeEngine;

ClassCounts counts(const AccuracyResult& row) { return count_classes(row.samples); }

class Accuracy : public ::testing::Test {
 protected:
  Accuracy() : folder_(std::filesystem::temp_directory_path() / ("gpueval_accuracy_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~Accuracy() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  static std::string bytes(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static AccuracyOptions options(std::size_t first, std::size_t count, int batch = 8) {
    AccuracyOptions result;
    result.preprocessing.input = fake_input();
    result.first = first;
    result.count = count;
    result.batch = batch;
    return result;
  }
  // Right for every image, and for those whose grey value is not a multiple of 3 (image i has grey i, label i % 10).
  FakeEngine right_{answer([](int grey) { return grey % 10; })};
  FakeEngine thirds_{answer([](int grey) { return (grey + (grey % 3 == 0 ? 1 : 0)) % 10; })};

 private:
  std::filesystem::path folder_;
};

// Two batches under way and chunks loaded ahead: the same results as one by one.
TEST_F(Accuracy, APipelineOverlapsBatches) {
  const FakeDataset data(200, {7, 90});
  test::FakePipelinedEngine pipelined(answer([](int grey) { return grey % 7; }));
  FakeEngine plain(answer([](int grey) { return grey % 7; }));
  Engine* one[]{&plain};
  Engine* two[]{&pipelined};
  const AccuracyRun want = run_accuracy(data, one, options(3, 197)), got = run_accuracy(data, two, options(3, 197));
  EXPECT_EQ(got.rows[0].logits_sha256, want.rows[0].logits_sha256);
  EXPECT_EQ(got.rows[0].images, 195);
  EXPECT_EQ(got.skipped.size(), 2u);
  EXPECT_EQ(pipelined.most_under_way, 2u);
  EXPECT_TRUE(pipelined.under_way.empty());
}

TEST_F(Accuracy, AStoppedPipelineIsLeftEmpty) {
  const FakeDataset data(200);
  test::FakePipelinedEngine pipelined(answer([](int grey) { return grey % 7; }));
  Engine* engines[]{&pipelined};
  AccuracyOptions stopping = options(0, 200);
  int asked = 0;
  stopping.stop = [&] { return ++asked > 5; };
  EXPECT_TRUE(run_accuracy(data, engines, stopping).interrupted);
  EXPECT_EQ(pipelined.most_under_way, 2u);
  EXPECT_TRUE(pipelined.under_way.empty());
}

TEST_F(Accuracy, CountsAndPairs) {
  const FakeDataset data(200);
  Engine* engines[]{&right_, &thirds_};
  const AccuracyRun run = run_accuracy(data, engines, options(0, 200));
  EXPECT_EQ(counts(run.rows[0]).top1, 200);
  EXPECT_EQ(counts(run.rows[1]).top1, 133);  // 67 multiples of 3 below 200
  EXPECT_EQ(run.rows[1].images, 200);
  EXPECT_FALSE(run.interrupted);
  const PairedComparison paired = classification_task().compare(run.rows[0], run.rows[1]);
  EXPECT_EQ(paired.discordant_down, 67);
  EXPECT_EQ(paired.discordant_up, 0);
  EXPECT_DOUBLE_EQ(paired.diff, -67.0 / 200);
  EXPECT_DOUBLE_EQ(paired.agreement, 133.0 / 200);
  EXPECT_NEAR(*paired.p / std::ldexp(1.0, -66), 1, 1e-12);
}

TEST_F(Accuracy, TellsWhatItScores) {
  const FakeDataset data(60, {7});
  Engine* engines[]{&right_, &thirds_};
  AccuracyOptions how = options(3, 57);
  std::vector<std::size_t> images;
  std::vector<Score> pairs;
  how.scored = [&](const JudgedImage& image, const Score& pair, std::span<const ImageOutputs> rows) {
    images.push_back(image.index);
    pairs.push_back(pair);
    ASSERT_EQ(rows.size(), 2u);
    const bool same = std::equal(rows[0][0].begin(), rows[0][0].end(), rows[1][0].begin(), rows[1][0].end());
    EXPECT_EQ(same, image.index % 3 != 0) << image.index;
  };
  const AccuracyRun run = run_accuracy(data, engines, how);
  EXPECT_EQ(pairs, run.rows[1].pairs);
  ASSERT_EQ(images.size(), 56u);
  EXPECT_EQ(images.front(), 3u);
  EXPECT_EQ(images[4], 8u) << "behind the one that could not be decoded";
}

TEST_F(Accuracy, TopFiveHoldsTheLabelBehindOthers) {
  const FakeDataset data(50);
  FakeEngine engine([](int grey, std::span<float> logits) {  // the label comes fifth, for odd images sixth
    for (std::size_t c = 0; c < logits.size(); ++c)
      logits[c] = -static_cast<float>((c + 10 - static_cast<std::size_t>(grey % 10)) % 10);
    logits[static_cast<std::size_t>(grey % 10)] = grey % 2 == 0 ? -4.5f : -5.5f;
  });
  Engine* engines[]{&engine};
  const AccuracyRun run = run_accuracy(data, engines, options(0, 50));
  EXPECT_EQ(counts(run.rows[0]).top1, 0);
  EXPECT_EQ(counts(run.rows[0]).top5, 25);
}

TEST_F(Accuracy, CorruptImagesAreSkippedForEveryEngine) {
  const FakeDataset data(150, {0, 7, 63, 64, 149});
  Engine* engines[]{&right_, &thirds_};
  const AccuracyRun run = run_accuracy(data, engines, options(0, 150));
  ASSERT_EQ(run.skipped.size(), 5u);
  EXPECT_EQ(run.skipped[1].name, "image 7");
  EXPECT_EQ(run.skipped[1].reason, "image 7: not a JPEG");
  EXPECT_EQ(run.rows[0].images, 145);
  EXPECT_EQ(counts(run.rows[0]).top1, 145) << "an image after a gap got another's pixels or label";
  EXPECT_EQ(run.rows[1].images, 145);
}

TEST_F(Accuracy, NanCountsAsWrong) {
  const FakeDataset data(20);
  FakeEngine engine([](int grey, std::span<float> logits) {
    for (float& value : logits) value = 0;
    logits[static_cast<std::size_t>(grey % 10)] = 1;
    if (grey == 5) logits[9] = std::numeric_limits<float>::quiet_NaN();
  });
  Engine* engines[]{&engine};
  const AccuracyRun run = run_accuracy(data, engines, options(0, 20));
  EXPECT_EQ(run.rows[0].nan_images, 1);
  EXPECT_EQ(counts(run.rows[0]).top1, 19);
  EXPECT_EQ(class_score(run.rows[0].samples[5]).predicted, -1);
}

// A table of zeros would look like an accuracy.
TEST_F(Accuracy, NothingButNanIsAnError) {
  const FakeDataset data(20);
  FakeEngine engine([](int, std::span<float> logits) {
    for (float& value : logits) value = std::numeric_limits<float>::quiet_NaN();
  });
  Engine* engines[]{&engine};
  try {
    run_accuracy(data, engines, options(0, 20));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("all 20 images gave NaN logits"), std::string::npos) << error.what();
  }
}

TEST_F(Accuracy, LabelOutsideTheClassesIsAnError) {
  class Wide : public FakeDataset {
    using FakeDataset::FakeDataset;
    int label(std::size_t) const override { return 10; }
  };
  const Wide data(3);
  Engine* engines[]{&right_};
  EXPECT_THROW(run_accuracy(data, engines, options(0, 3)), Error);
}

TEST_F(Accuracy, ResultDoesNotDependOnTheBatch) {
  const FakeDataset data(150, {3});
  Engine* engines[]{&thirds_};
  const AccuracyRun one = run_accuracy(data, engines, options(10, 140, 1));
  for (const int batch : {7, 64, 100, 500}) {
    EXPECT_EQ(run_accuracy(data, engines, options(10, 140, batch)).rows[0].logits_sha256, one.rows[0].logits_sha256)
        << batch;
  }
}

TEST_F(Accuracy, SavedLogitsAreTheHashedOnes) {
  const FakeDataset data(100, {5});
  Engine* engines[]{&right_, &thirds_};
  AccuracyOptions o = options(0, 100);
  o.save_logits = path("logits.npy");
  const AccuracyRun run = run_accuracy(data, engines, o);
  const std::string file = bytes(o.save_logits);
  ASSERT_EQ(file.size(), 128u + 99 * 10 * 4);
  EXPECT_EQ(file.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_NE(file.find("'shape': (99, 10)"), std::string::npos);
  EXPECT_EQ(file[127], '\n');
  Sha256 sum;
  sum.update(std::string_view(file).substr(128));
  EXPECT_EQ(sum.hex(), run.rows[1].logits_sha256);
  EXPECT_FALSE(std::filesystem::exists(o.save_logits + ".part"));
}

// Neither a wrong path nor a disk that fills up costs the result.
TEST_F(Accuracy, UnwritableLogitsAreReportedBesideTheResult) {
  const FakeDataset data(10);
  Engine* engines[]{&right_};
  for (const std::string& file : {path("no/such/folder/logits.npy"), std::string("/proc/logits.npy")}) {
    AccuracyOptions o = options(0, 10);
    o.save_logits = file;
    const AccuracyRun run = run_accuracy(data, engines, o);
    EXPECT_EQ(run.rows[0].images, 10);
    ASSERT_EQ(run.output_errors.size(), 1u);
    EXPECT_NE(run.output_errors[0].find(file), std::string::npos) << run.output_errors[0];
  }
}

// A run that is stopped, then resumed, is in no way different from one that is not.
TEST_F(Accuracy, ResumedRunIsIdentical) {
  const FakeDataset data(400, {2, 100, 399});
  Engine* engines[]{&right_, &thirds_};
  AccuracyOptions whole = options(0, 400);
  whole.save_logits = path("whole.npy");
  const AccuracyRun expected = run_accuracy(data, engines, whole);

  AccuracyOptions part = options(0, 400);
  part.journal = path("cache/run.journal");
  part.journal_key = "key";
  part.resume = true;
  part.save_logits = path("part.npy");
  right_.runs = 0;
  part.stop = [&] { return right_.runs >= 20; };  // in the middle of the third chunk of 64
  const AccuracyRun stopped = run_accuracy(data, engines, part);
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_EQ(stopped.rows[0].images, 126);

  part.stop = nullptr;
  const AccuracyRun resumed = run_accuracy(data, engines, part);
  EXPECT_EQ(resumed.replayed, 128u);
  EXPECT_FALSE(resumed.interrupted);
  for (int e : {0, 1}) {
    const auto row = static_cast<std::size_t>(e);
    EXPECT_EQ(resumed.rows[row].logits_sha256, expected.rows[row].logits_sha256);
    EXPECT_EQ(resumed.rows[row].logits_tree_sha256, expected.rows[row].logits_tree_sha256);
    EXPECT_EQ(resumed.rows[row].pairs, expected.rows[row].pairs);
    EXPECT_EQ(counts(resumed.rows[row]).top1, counts(expected.rows[row]).top1);
    EXPECT_EQ(resumed.rows[row].samples, expected.rows[row].samples);
  }
  ASSERT_EQ(resumed.skipped.size(), 3u);
  EXPECT_EQ(resumed.skipped[0].reason, expected.skipped[0].reason);
  EXPECT_EQ(bytes(part.save_logits), bytes(whole.save_logits));
}

// The journal has no logits: those that are not in the file are computed again.
TEST_F(Accuracy, ResumedLogitsAreTakenFromWhatIsThere) {
  const FakeDataset data(400, {2, 100, 399});
  Engine* engines[]{&right_, &thirds_};
  AccuracyOptions whole = options(0, 400);
  whole.save_logits = path("whole.npy");
  const AccuracyRun expected = run_accuracy(data, engines, whole);
  const std::string good = bytes(whole.save_logits), name = path("part.npy");
  // What is in the way of the file, and how many images (of chunks of 64) are taken up.
  const struct {
    const char* what;
    std::string part, file;
    std::size_t replayed;
  } cases[] = {
      {"nothing", "", "", 0},
      {"the .part file of a killed run", good.substr(0, 128 + 130 * 40), "", 128},
      {"one that is torn", good.substr(0, 128 + 70 * 40 + 3), "", 64},
      {"with more than the journal", good, "", 256},
      {"the file itself", "", good.substr(0, 128 + 200 * 40), 192},
      {"another file", std::string(128 + 200 * 40, 'x'), "", 0},
      {"a short one", "x", "", 0},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    AccuracyOptions part = options(0, 400);
    part.journal = path("run.journal");
    part.journal_key = "key";
    right_.runs = 0;
    part.stop = [&] { return right_.runs >= 36; };  // in the middle of the fifth chunk
    run_accuracy(data, engines, part);
    part.stop = nullptr;
    part.resume = true;
    part.save_logits = name;
    std::filesystem::remove(name);
    if (!c.part.empty()) std::ofstream(name + ".part", std::ios::binary) << c.part;
    if (!c.file.empty()) std::ofstream(name, std::ios::binary) << c.file;
    const AccuracyRun resumed = run_accuracy(data, engines, part);
    EXPECT_EQ(resumed.replayed, c.replayed);
    EXPECT_EQ(resumed.rows[1].logits_sha256, expected.rows[1].logits_sha256);
    EXPECT_EQ(bytes(name), good);
    EXPECT_FALSE(std::filesystem::exists(name + ".part"));
  }
}

// Networks whose outputs are large run in smaller batches and chunks: memory is bounded.
TEST(ChunkSize, OutputsOfAChunkAreBounded) {
  const auto size = [](std::size_t batch, std::size_t elements, std::size_t engines) {
    const ChunkSize chunk = chunk_size(batch, elements, engines);
    EXPECT_EQ(chunk.images % chunk.batch, 0u);
    EXPECT_TRUE(chunk.images == 1 || chunk.images * elements * engines * 4 <= 128u << 20);
    return std::pair(chunk.batch, chunk.images);
  };
  EXPECT_EQ(size(16, 1000, 5), std::pair(std::size_t{16}, std::size_t{64}));
  EXPECT_EQ(size(100, 1000, 2), std::pair(std::size_t{100}, std::size_t{100}));
  EXPECT_EQ(size(48, 10, 1), std::pair(std::size_t{48}, std::size_t{96}));
  EXPECT_EQ(size(16, 513 * 513 * 21, 1), std::pair(std::size_t{6}, std::size_t{6}));
  EXPECT_EQ(size(4, 513 * 513 * 21, 1), std::pair(std::size_t{4}, std::size_t{4}));
  EXPECT_EQ(size(16, 513 * 513 * 21, 2), std::pair(std::size_t{3}, std::size_t{3}));
  EXPECT_EQ(size(16, 513 * 513 * 21, 20), std::pair(std::size_t{1}, std::size_t{1}));
  EXPECT_EQ(size(16, 256 * 256 * 2, 2), std::pair(std::size_t{16}, std::size_t{64}));
}

TEST_F(Accuracy, JournalOfAnotherKeyIsNotUsed) {
  const FakeDataset data(100);
  Engine* engines[]{&right_};
  AccuracyOptions o = options(0, 100);
  o.journal = path("run.journal");
  o.journal_key = "one";
  o.resume = true;
  run_accuracy(data, engines, o);
  EXPECT_EQ(run_accuracy(data, engines, o).replayed, 100u);
  o.journal_key = "other";
  EXPECT_EQ(run_accuracy(data, engines, o).replayed, 0u);
  o.resume = false;
  EXPECT_EQ(run_accuracy(data, engines, o).replayed, 0u);
}

TEST_F(Accuracy, JournalThatCannotBeWrittenMattersOnlyToResume) {
  const FakeDataset data(10);
  Engine* engines[]{&right_};
  AccuracyOptions o = options(0, 10);
  std::ofstream(path("file")) << "x";
  o.journal = path("file/run.journal");
  const AccuracyRun run = run_accuracy(data, engines, o);
  EXPECT_EQ(run.rows[0].images, 10);
  EXPECT_NE(run.journal_problem.find("is not a folder"), std::string::npos) << run.journal_problem;
  o.resume = true;
  EXPECT_THROW(run_accuracy(data, engines, o), Error);
}

TEST_F(Accuracy, CalibrationSourceSkipsAndEnds) {
  const FakeDataset data(20, {0, 1, 2, 3, 9});
  std::vector<SkippedImage> skipped;
  const auto source = image_source(data, make_preprocessing(fake_input(), data), 0, 10, &skipped);
  std::vector<float> batch;
  int images = 0;
  while (const int n = source(batch, 4)) {
    EXPECT_EQ(batch.size(), static_cast<std::size_t>(n) * test::kSide * test::kSide * 3);
    images += n;
  }
  EXPECT_EQ(images, 5);
  EXPECT_EQ(skipped.size(), 5u);
}

}  // namespace
}  // namespace gpueval
