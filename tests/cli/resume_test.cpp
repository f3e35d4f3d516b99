// SPDX-License-Identifier: Apache-2.0
// What --resume goes on from, and what it does not.
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"
#include "tiny_jpeg.h"

namespace gpueval::test {
namespace {

namespace fs = std::filesystem;

class Resume : public ProgramTest {
 protected:
  Resume() {
    for (const char* name : {"f/1.jpg", "f/2.jpg", "f/3.jpg", "f/4.jpg"}) {
      write(name, {kTinyJpeg.begin(), kTinyJpeg.end()});
    }
    write("labels.txt", "0\n1\n2\n3\n");
    // The result cannot be written, so the journal stays.
    EXPECT_EQ(run(args({"--json", "/dev/full"})).code, 1);
  }
  static std::vector<std::string> args(const std::vector<std::string>& more) {
    std::vector<std::string> result{"--model",    "demo",        "--data",  "f",      "--labels",
                                    "labels.txt", "--precision", "float32", "--mode", "accuracy"};
    result.insert(result.end(), more.begin(), more.end());
    return result;
  }
  // Whether a resumed run takes all images from the journal. The journal stays, here too.
  bool continues(const std::vector<std::string>& more = {}) {
    std::vector<std::string> all = args(more);
    for (const char* arg : {"--resume", "--json", "/dev/full"}) all.emplace_back(arg);
    const Outcome outcome = run(all);
    EXPECT_EQ(outcome.code, 1) << outcome.err;
    EXPECT_NE(outcome.out.find("4 images"), std::string::npos) << outcome.out;
    return outcome.out.find("4 of them in an earlier run") != std::string::npos;
  }
};

TEST_F(Resume, TakesTheJournalOfTheSameRun) { EXPECT_TRUE(continues()); }

TEST_F(Resume, NotThatOfOtherPictures) {
  struct stat before {};
  ASSERT_EQ(stat(path("f").c_str(), &before), 0);
  std::string other(kTinyJpeg.begin(), kTinyJpeg.end());
  other[other.size() / 2] = static_cast<char>(other[other.size() / 2] ^ 1);
  write("f/2.jpg", other);
  struct stat after {};
  ASSERT_EQ(stat(path("f").c_str(), &after), 0);
  ASSERT_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec) << "the folder itself looks untouched";
  EXPECT_FALSE(continues());
}

TEST_F(Resume, NotThatOfOtherKernels) {
  EXPECT_FALSE(continues({"--kernel", "portable"}));
  in_child_ = [] { setenv("GPUEVAL_CPU_ISA", "portable", 1); };
  EXPECT_FALSE(continues());
  in_child_ = [] { setenv("ONEDNN_MAX_CPU_ISA", "SSE41", 1); };
  EXPECT_FALSE(continues());
  in_child_ = nullptr;
  EXPECT_TRUE(continues());
}

TEST_F(Resume, TheJournalIsPrivate) {
  struct stat status {};
  ASSERT_EQ(stat(path("cache").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  for (const auto& entry : fs::directory_iterator(path("cache"))) {
    ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600u) << entry.path();
  }
}

TEST_F(Resume, WithoutAHomeThereIsNoJournalAndItIsSaid) {
  in_child_ = [] {
    for (const char* name : {"HOME", "XDG_CACHE_HOME", "GPUEVAL_CACHE"}) unsetenv(name);
  };
  const Outcome outcome = run(args({"--json", "r.json"}));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("There is no journal, so --resume cannot continue this run"), std::string::npos)
      << outcome.err;
  EXPECT_NE(read_json("r.json")["notes"].dump().find("There is no journal"), std::string::npos);
  expect_error(args({"--resume"}), 2, "--resume needs a place for its journal");
}

TEST_F(Resume, AnUnwritableJournalIsSaid) {
  fs::remove_all(path("cache"));
  write("cache", "a file");
  const Outcome outcome = run(args({"--json", "r.json"}));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("cache: is not a folder"), std::string::npos) << outcome.err;
  EXPECT_NE(read_json("r.json")["notes"].dump().find("is not a folder"), std::string::npos);
  expect_error(args({"--resume"}), 1, "cache: is not a folder");
}

TEST_F(Resume, NoPlantedFolderIsUsed) {
  fs::rename(path("cache"), path("elsewhere"));
  fs::create_directory_symlink("elsewhere", path("cache"));
  expect_error(args({"--resume"}), 1, "cache: is a symbolic link");
  fs::remove(path("cache"));
  fs::create_directory(path("cache"));
  ASSERT_EQ(chmod(path("cache").c_str(), 0777), 0);
  expect_error(args({"--resume"}), 1, "can be written by others");
}

}  // namespace
}  // namespace gpueval::test
