// SPDX-License-Identifier: Apache-2.0
// Guards against: a journal cut or damaged at any byte (a killed process, a full disk) or forged by somebody giving
// anything but its good front.
#include "eval/journal.h"

#include <sys/resource.h>

#include <csignal>

#include "support/data_files.h"

namespace gpueval {
namespace {

class JournalTest : public ::testing::Test {
 protected:
  static ChunkResult chunk(std::size_t first) {
    ChunkResult result;
    result.first = first;
    result.count = 3;
    result.images = {first, first + 2};
    result.skipped = {{first + 1, "name", "why"}};
    result.engines = {scores(static_cast<double>(first)), scores(-2)};
    result.engines[1].pairs = {{1, 0.5, 2}, {0}};
    return result;
  }
  static ChunkScores scores(double x) {
    ChunkScores result{.samples = {{1.5, x}, {}}, .pairs = {{}, {}}};
    result.image_sha256 = {std::string(32, 'a'), std::string(32, 'b')};
    Sha256 sum;
    sum.update(std::to_string(x));
    result.sum = sum.state();
    return result;
  }
  static void expect_equal(const ChunkScores& got, const ChunkScores& want) {
    EXPECT_EQ(got.samples, want.samples);
    EXPECT_EQ(got.pairs, want.pairs);
    EXPECT_EQ(got.image_sha256, want.image_sha256);
    EXPECT_EQ(got.sum.hash, want.sum.hash);
    EXPECT_EQ(got.sum.bytes, want.sum.bytes);
    EXPECT_EQ(got.sum.rest, want.sum.rest);
  }
  std::vector<std::size_t> replayed() const {
    Journal journal(path_, "key", kShape, true);
    std::vector<std::size_t> firsts;
    ChunkResult result;
    while (journal.replay(result)) {
      for (std::size_t e = 0; e < 2; ++e) expect_equal(result.engines[e], chunk(result.first).engines[e]);
      EXPECT_EQ(result.images, chunk(result.first).images);
      EXPECT_EQ(result.skipped[0].reason, "why");
      firsts.push_back(result.first);
    }
    return firsts;
  }
  void write(std::initializer_list<std::size_t> firsts) const {
    Journal journal(path_, "key", kShape, false);
    for (const std::size_t first : firsts) journal.append(chunk(first));
  }
  inline static const JournalShape kShape{
      .engines = 2, .first = 0, .count = 100, .name_of = [](std::size_t) { return "name"; }};
  test::TemporaryFolder folder_;
  std::string path_ = folder_ / "run.journal";
};

TEST_F(JournalTest, ReplaysWhatWasAppended) {
  write({0, 3});
  EXPECT_EQ(replayed(), (std::vector<std::size_t>{0, 3}));
}

TEST_F(JournalTest, AppendsBehindTheReplayed) {
  write({0});
  {
    Journal journal(path_, "key", kShape, true);
    ChunkResult result;
    while (journal.replay(result)) {
    }
    journal.append(chunk(3));
  }
  EXPECT_EQ(replayed(), (std::vector<std::size_t>{0, 3}));
}

TEST_F(JournalTest, EveryTornTailIsDropped) {
  write({0});
  const auto one = std::filesystem::file_size(path_);
  write({0, 3});
  const auto two = std::filesystem::file_size(path_);
  for (auto size = two - 1; size > one; --size) {
    write({0, 3});
    std::filesystem::resize_file(path_, size);
    ASSERT_EQ(replayed(), std::vector<std::size_t>{0}) << "cut at " << size;
    ASSERT_EQ(std::filesystem::file_size(path_), one);
  }
}

TEST_F(JournalTest, EveryDamagedByteEndsTheReplay) {
  write({0});
  const auto one = static_cast<std::streamoff>(std::filesystem::file_size(path_));
  write({0, 3});
  const auto two = static_cast<std::streamoff>(std::filesystem::file_size(path_));
  for (std::streamoff at = one; at < two; ++at) {
    write({0, 3});
    {
      std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(at);
      const int byte = file.get();
      file.seekp(at);
      file.put(static_cast<char>(byte ^ 0x41));
    }
    ASSERT_EQ(replayed(), std::vector<std::size_t>{0}) << "byte " << at;
  }
}

TEST_F(JournalTest, OtherEnginesStartAnew) {
  write({0});
  {
    Journal journal(path_, "key", {.engines = 3, .first = 0, .count = 100}, true);
    ChunkResult result;
    EXPECT_FALSE(journal.replay(result));
  }
  EXPECT_TRUE(replayed().empty());
}

TEST_F(JournalTest, WhatIsTakenBackIsComputedAgain) {
  write({0, 3, 6});
  {
    Journal journal(path_, "key", kShape, true);
    ChunkResult result;
    ASSERT_TRUE(journal.replay(result));
    ASSERT_TRUE(journal.replay(result));
    journal.take_back(result);
    journal.append(chunk(3));
  }
  EXPECT_EQ(replayed(), (std::vector<std::size_t>{0, 3}));
}

TEST_F(JournalTest, ImpossibleScoresEndTheReplay) {
  write({0, 3});
  JournalShape shape = kShape;
  shape.possible = [](std::size_t image, std::size_t engine, const Score& sample, const Score& pair) {
    EXPECT_EQ(pair.empty(), engine == 0);
    return sample.empty() || sample[1] < 3 || image < 3;
  };
  Journal journal(path_, "key", shape, true);
  ChunkResult result;
  EXPECT_TRUE(journal.replay(result));
  EXPECT_FALSE(journal.replay(result));
}

TEST_F(JournalTest, TwoRunsCannotShareIt) {
  const Journal first(path_, "key", kShape, true);
  EXPECT_THROW(Journal(path_, "key", kShape, true), Error);
}

TEST_F(JournalTest, OldVersionsStartAnew) {
  write({0, 3});
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(8);
  file.put(1);
  file.close();
  EXPECT_TRUE(replayed().empty());
}

TEST_F(JournalTest, IsThisUsersAlone) {
  std::ofstream(folder_ / "victim") << "x";
  std::filesystem::create_symlink(folder_ / "victim", path_);
  EXPECT_NE(test::error_of([&] { write({0}); }).find("is a symbolic link"), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(folder_ / "victim"), 1u);
  const std::string link = folder_ / "link";
  std::filesystem::create_directory(folder_ / "inner");
  std::filesystem::create_directory_symlink(folder_ / "inner", link);
  EXPECT_NE(test::error_of([&] { Journal(link + "/run.journal", "key", kShape, false); }).find("is a symbolic link"),
            std::string::npos);
}

TEST_F(JournalTest, ADiskThatIsFullIsAnErrorAndLeavesNoHalfRecord) {
  write({0});
  const std::uintmax_t good = std::filesystem::file_size(path_);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto old = std::signal(SIGXFSZ, SIG_IGN);
  {
    Journal journal(path_, "key", kShape, true);
    ChunkResult result;
    while (journal.replay(result)) {
    }
    const rlimit limit{good + 40, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    EXPECT_NE(test::error_of([&] { journal.append(chunk(3)); }).find("File too large"), std::string::npos);
    setrlimit(RLIMIT_FSIZE, &before);
  }
  std::signal(SIGXFSZ, old);
  EXPECT_EQ(replayed(), std::vector<std::size_t>{0});
}

// Records with the right digest, as only a forger writes them.
class ForgedJournal : public JournalTest {
 protected:
  using Numbers = std::vector<std::uint64_t>;
  static std::string bytes(const Numbers& numbers) {
    return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(numbers[0])};
  }
  void append(const std::string& body) const {
    Sha256 sum;
    sum.update(body);
    std::ofstream(path_, std::ios::binary | std::ios::app) << bytes({body.size()}) << sum.hex() << body;
  }
  // Replays the good record in front and nothing else.
  void expect_refused(const std::string& body) {
    write({0});
    append(body);
    EXPECT_EQ(replayed(), std::vector<std::size_t>{0});
  }
  // Two engines' hashes and empty scores, and the states of their sums.
  static std::string scores(std::size_t images) { return std::string(2 * (images * (32 + 8 + 8) + 32 + 8 + 64), '\0'); }
  static std::string skipped(std::uint64_t index, const std::string& name = "name") {
    return bytes({index, name.size()}) + name + bytes({3}) + "why";
  }
};

TEST_F(ForgedJournal, TheFormUsedHereIsTheRightOne) {
  write({0});
  append(bytes({3, 3, 2, 1, 3, 5}) + skipped(4) + scores(2));
  Journal journal(path_, "key", kShape, true);
  ChunkResult result;
  EXPECT_TRUE(journal.replay(result));
  ASSERT_TRUE(journal.replay(result));
  EXPECT_EQ(result.images, (std::vector<std::size_t>{3, 5}));
}

TEST_F(ForgedJournal, ImagesOutOfPlaceAreRefused) {
  const struct {
    const char* what;
    Numbers numbers;
    std::size_t judged;
  } cases[] = {
      {"a gap", {4, 1, 1, 0, 4}, 1},
      {"again", {0, 3, 3, 0, 0, 1, 2}, 3},
      {"behind the end", {3, 98, 1, 0, 3}, 1},
      {"an image of another chunk", {3, 2, 2, 0, 3, 7}, 2},
      {"an image far away", {3, 2, 2, 0, 3, std::uint64_t{1} << 63}, 2},
      {"one twice", {3, 2, 2, 0, 3, 3}, 2},
      {"out of order", {3, 2, 2, 0, 4, 3}, 2},
      {"too few", {3, 3, 2, 0, 3, 4}, 2},
      {"too many", {3, 1, 2, 0, 3, 4}, 2},
      {"none", {3, 0, 0, 0}, 0},
      {"counts whose sum overflows", {3, 1, ~std::uint64_t{0}, 2, 3}, 0},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    expect_refused(bytes(c.numbers) + scores(c.judged));
  }
}

TEST_F(ForgedJournal, SkippedImagesOutOfPlaceAreRefused) {
  const std::string head = bytes({3, 2, 1, 1, 3});
  for (const std::string& image : {skipped(3), skipped(5), skipped(4, "another name"), skipped(4, "\x1b[2J"),
                                   bytes({4, ~std::uint64_t{0}}) + "name"}) {
    expect_refused(head + image + scores(1));
  }
}

TEST_F(ForgedJournal, WrongLengthsAreRefused) {
  expect_refused("");
  expect_refused(bytes({3, 1, 1, 0, 3}) + scores(2));
  expect_refused(bytes({3, 1, 1, 0, 3}));
  for (const std::uint64_t count : {std::uint64_t{1} << 20, ~std::uint64_t{0}, std::uint64_t{1} << 61}) {
    std::string body = bytes({3, 1, 1, 0, 3}) + scores(1);
    body.replace(5 * 8 + 32, 8, bytes({count}));  // of the first score's numbers
    expect_refused(body);
  }
}

// 40 MB that claim a million skipped images took 2.85 GB.
TEST_F(ForgedJournal, TakesNoMoreMemoryThanARecord) {
  write({0});
  const std::uint64_t count = 1'000'000;
  std::string body = bytes({3, count, 0, count});
  body.resize(40'000'000, '\0');
  append(body);
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  EXPECT_EQ(replayed(), std::vector<std::size_t>{0});
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 20'000) << "kilobytes";
}

}  // namespace
}  // namespace gpueval
