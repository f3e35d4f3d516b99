// SPDX-License-Identifier: Apache-2.0
// Guards against: a journal cut or damaged at any byte (a killed process, a full disk) giving anything but its good
// front.
#include "eval/journal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "gpueval/error.h"

namespace gpueval {
namespace {

class JournalTest : public ::testing::Test {
 protected:
  JournalTest()
      : path_((std::filesystem::temp_directory_path() / ("gpueval_journal_" + std::to_string(::getpid()))).string()) {}
  ~JournalTest() override { std::filesystem::remove(path_); }

  static ChunkResult chunk(std::size_t first) {
    ChunkResult result;
    result.first = first;
    result.count = 3;
    result.images = {first, first + 2};
    result.skipped = {{first + 1, "name", "why"}};
    result.logits = {{1.5f, static_cast<float>(first)}, {-2, 3}};
    return result;
  }
  std::vector<std::size_t> replayed() const {
    Journal journal(path_, "key", 2, 1, true);
    std::vector<std::size_t> firsts;
    ChunkResult result;
    while (journal.replay(result)) {
      EXPECT_EQ(result.logits, chunk(result.first).logits);
      EXPECT_EQ(result.images, chunk(result.first).images);
      EXPECT_EQ(result.skipped[0].reason, "why");
      firsts.push_back(result.first);
    }
    return firsts;
  }
  void write(std::initializer_list<std::size_t> firsts) const {
    Journal journal(path_, "key", 2, 1, false);
    for (const std::size_t first : firsts) journal.append(chunk(first));
  }
  std::string path_;
};

TEST_F(JournalTest, ReplaysWhatWasAppended) {
  write({0, 3});
  EXPECT_EQ(replayed(), (std::vector<std::size_t>{0, 3}));
}

TEST_F(JournalTest, AppendsBehindTheReplayed) {
  write({0});
  {
    Journal journal(path_, "key", 2, 1, true);
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

TEST_F(JournalTest, OtherEnginesOrClassesStartAnew) {
  write({0});
  {
    Journal journal(path_, "key", 2, 7, true);
    ChunkResult result;
    EXPECT_FALSE(journal.replay(result));
  }
  EXPECT_TRUE(replayed().empty());
}

TEST_F(JournalTest, TwoRunsCannotShareIt) {
  const Journal first(path_, "key", 2, 1, true);
  EXPECT_THROW(Journal(path_, "key", 2, 1, true), Error);
}

}  // namespace
}  // namespace gpueval
