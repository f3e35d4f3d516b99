// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "gpueval/session.h"

namespace gpueval {
namespace {

// Puts a variable back as it was: other tests of this program read the environment too.
class KeptVariable {
 public:
  explicit KeptVariable(const char* name) : name_(name) {
    if (const char* value = std::getenv(name)) value_ = value;
  }
  ~KeptVariable() {
    if (value_) {
      setenv(name_, value_->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }
  KeptVariable(const KeptVariable&) = delete;
  KeptVariable& operator=(const KeptVariable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> value_;
};

class Lookup : public ::testing::Test {
 protected:
  Lookup() : folder_(std::filesystem::temp_directory_path() / ("gpueval_lookup_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    setenv("HOME", (folder_ / "home").c_str(), 1);
    setenv("GPUEVAL_DATA", (folder_ / "data").c_str(), 1);
  }
  ~Lookup() override { std::filesystem::remove_all(folder_); }
  std::string touch(const std::string& name) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << "x";
    return (folder_ / name).string();
  }
  std::filesystem::path folder_;
  KeptVariable home_{"HOME"}, data_{"GPUEVAL_DATA"};
};

TEST_F(Lookup, NothingIsFoundInNothing) { EXPECT_FALSE(find_file({"w.h5"})); }

TEST_F(Lookup, SubFoldersOfTheData) {
  const std::string file = touch("data/a/b/w.h5");
  EXPECT_EQ(find_file({"w.h5"}), file);
  std::filesystem::create_directories(folder_ / "data/other.h5");
  EXPECT_FALSE(find_file({"other.h5"})) << "a folder is no file";
}

TEST_F(Lookup, KerasFolderComesFirst) {
  touch("data/w.h5");
  const std::string keras = touch("home/.keras/models/w.h5");
  EXPECT_EQ(find_file({"w.h5"}), keras);
}

TEST_F(Lookup, NamesAreTriedInOrder) {
  const std::string second = touch("home/.keras/models/second.pkl");
  EXPECT_EQ(find_file({"first.pkl", "second.pkl"}), second);
  const std::string first = touch("data/first.pkl");
  EXPECT_EQ(find_file({"first.pkl", "second.pkl"}), first);
}

}  // namespace
}  // namespace gpueval
