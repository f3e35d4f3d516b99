// SPDX-License-Identifier: Apache-2.0
// Guards against: a cache that somebody else prepared, or that leads somewhere else.
#include "core/cache_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <optional>

#include "support/data_files.h"

namespace gpueval {
namespace {

namespace fs = std::filesystem;
using test::error_of;

// Puts the variables back as they were: other tests of this program read the environment too.
class CacheEnvironment : public testing::Test {
 protected:
  CacheEnvironment() {
    for (const char* name : {"GPUEVAL_CACHE", "XDG_CACHE_HOME", "HOME"}) {
      const char* value = std::getenv(name);
      before_[name] = value != nullptr ? std::optional<std::string>(value) : std::nullopt;
      unsetenv(name);
    }
  }
  ~CacheEnvironment() override {
    for (const auto& [name, value] : before_) {
      if (value) {
        setenv(name.c_str(), value->c_str(), 1);
      } else {
        unsetenv(name.c_str());
      }
    }
  }

 private:
  std::map<std::string, std::optional<std::string>> before_;
};

TEST_F(CacheEnvironment, FollowsTheThreeVariables) {
  EXPECT_EQ(cache_folder(), "");
  setenv("HOME", "/home/me", 1);
  EXPECT_EQ(cache_folder(), "/home/me/.cache/gpueval");
  setenv("XDG_CACHE_HOME", "/xdg", 1);
  EXPECT_EQ(cache_folder(), "/xdg/gpueval");
  setenv("GPUEVAL_CACHE", "own", 1);
  EXPECT_EQ(cache_folder(), "own");
}

TEST_F(CacheEnvironment, EmptyAndRelativeHomesAreNone) {
  setenv("HOME", "", 1);
  setenv("XDG_CACHE_HOME", "", 1);
  setenv("GPUEVAL_CACHE", "", 1);
  EXPECT_EQ(cache_folder(), "");
  setenv("HOME", "home", 1);
  setenv("XDG_CACHE_HOME", "xdg", 1);
  EXPECT_EQ(cache_folder(), "");
}

class PrivateFolder : public testing::Test {
 protected:
  mode_t mode_of(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(stat((folder_ / name).c_str(), &status), 0) << name;
    return status.st_mode & 07777;
  }
  std::string refusal_of_folder() const {
    return error_of([&] { make_private_folder(folder_ / "cache"); });
  }
  std::string refusal_of_file() const {
    return error_of([&] { open_private_file(folder_ / "file", PrivateAccess::kWrite); });
  }
  test::TemporaryFolder folder_;
};

TEST_F(PrivateFolder, IsMadeForThisUserAlone) {
  make_private_folder(folder_ / "deep/cache");
  EXPECT_EQ(mode_of("deep/cache"), 0700u);
  make_private_folder(folder_ / "deep/cache");
  make_private_folder(folder_ / "deep/cache/");
}

TEST_F(PrivateFolder, OthersMayNotWriteInIt) {
  fs::create_directory(folder_ / "cache");
  for (const mode_t mode : {0777u, 0770u, 0722u, 01777u}) {
    ASSERT_EQ(chmod((folder_ / "cache").c_str(), mode), 0);
    EXPECT_NE(refusal_of_folder().find("cache: the folder can be written by others"), std::string::npos);
  }
  ASSERT_EQ(chmod((folder_ / "cache").c_str(), 0755), 0);
  make_private_folder(folder_ / "cache");
}

TEST_F(PrivateFolder, IsNoLinkAndNoFile) {
  fs::create_directory(folder_ / "target");
  fs::create_directory_symlink(folder_ / "target", folder_ / "cache");
  EXPECT_NE(refusal_of_folder().find("is a symbolic link"), std::string::npos);
  EXPECT_NE(error_of([&] { make_private_folder(folder_ / "cache/"); }).find("is a symbolic link"), std::string::npos);
  fs::remove(folder_ / "cache");
  test::write_text(folder_ / "cache", "x");
  EXPECT_NE(refusal_of_folder().find("is not a folder"), std::string::npos);
  EXPECT_NE(error_of([&] { make_private_folder(folder_ / "cache/inner"); }).find("Not a directory"), std::string::npos);
}

TEST_F(PrivateFolder, OfAnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  fs::create_directory(folder_ / "cache");
  ASSERT_EQ(chown((folder_ / "cache").c_str(), 12345, 12345), 0);
  EXPECT_NE(refusal_of_folder().find("belongs to user 12345"), std::string::npos);
  test::write_text(folder_ / "file", "x");
  ASSERT_EQ(chown((folder_ / "file").c_str(), 12345, 12345), 0);
  EXPECT_NE(refusal_of_file().find("belongs to user 12345"), std::string::npos);
}

TEST_F(PrivateFolder, FilesAreMadeForThisUserAlone) {
  EXPECT_EQ(open_private_file(folder_ / "file", PrivateAccess::kRead), -1) << "a missing file is none to read";
  const int made = open_private_file(folder_ / "file", PrivateAccess::kWrite);
  ASSERT_GE(made, 0);
  close(made);
  EXPECT_EQ(mode_of("file"), 0600u);
}

TEST_F(PrivateFolder, FilesAreNoLinksAndNoPipes) {
  test::write_text(folder_ / "victim", "x");
  fs::create_symlink(folder_ / "victim", folder_ / "file");
  EXPECT_NE(refusal_of_file().find("is a symbolic link"), std::string::npos);
  fs::remove(folder_ / "file");
  fs::create_hard_link(folder_ / "victim", folder_ / "file");
  EXPECT_NE(refusal_of_file().find("second name"), std::string::npos);
  fs::remove(folder_ / "file");
  ASSERT_EQ(mkfifo((folder_ / "file").c_str(), 0600), 0);
  EXPECT_NE(refusal_of_file().find("is not a plain file"), std::string::npos);
  fs::remove(folder_ / "file");
  test::write_text(folder_ / "file", "x");
  ASSERT_EQ(chmod((folder_ / "file").c_str(), 0666), 0);
  EXPECT_NE(refusal_of_file().find("can be written by others"), std::string::npos);
  EXPECT_EQ(test::read_bytes(folder_ / "victim").size(), 1u);
}

}  // namespace
}  // namespace gpueval
