// SPDX-License-Identifier: Apache-2.0
// Guards against: a journal that goes on although pictures were exchanged behind its back.
#include <fcntl.h>
#include <sys/stat.h>

#include <set>

#include "core/file_state.h"
#include "support/data_files.h"

namespace gpueval {
namespace {

class DataState : public testing::Test {
 protected:
  DataState() {
    std::filesystem::create_directories(folder_ / "a");
    for (const char* name : {"a/1.jpg", "a/2.jpg"}) add(name);
  }
  void add(const std::string& name) const { std::filesystem::copy_file(test::data_golden("grey.jpg"), folder_ / name); }
  std::string state() const { return open_dataset(folder_.path().string(), "")->state(); }
  test::TemporaryFolder folder_;
};

TEST_F(DataState, StaysWhereNothingChanges) { EXPECT_EQ(state(), state()); }

TEST_F(DataState, TellsEveryChangeOfAFile) {
  std::set<std::string> states{state()};
  add("a/3.jpg");
  states.insert(state());
  std::filesystem::rename(folder_ / "a/3.jpg", folder_ / "a/4.jpg");
  states.insert(state());
  std::filesystem::resize_file(folder_ / "a/4.jpg", 100);
  states.insert(state());
  std::filesystem::last_write_time(folder_ / "a/1.jpg", std::filesystem::file_time_type{});
  states.insert(state());
  std::filesystem::remove(folder_ / "a/4.jpg");
  states.insert(state());
  EXPECT_EQ(states.size(), 6u);
}

// cp -p of another picture over this one.
TEST_F(DataState, TellsOtherBytesOfTheSameSizeAndTime) {
  const std::string file = folder_ / "a/1.jpg", before = state();
  struct stat status {};
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  std::vector<std::uint8_t> bytes = test::read_bytes(file);
  bytes.back() ^= 1u;
  test::write_bytes(file, bytes);
  const timespec times[] = {status.st_atim, status.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
  EXPECT_NE(state(), before);
}

TEST(FileState, OfNothingIsSaid) { EXPECT_EQ(file_state("/nowhere/file"), "missing"); }

}  // namespace
}  // namespace gpueval
