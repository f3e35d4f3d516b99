// SPDX-License-Identifier: Apache-2.0
// Data that would hang a program, that vanishes while it is read, or of which nothing can be judged.
#include <fmt/format.h>
#include <sys/stat.h>

#include "io/data/imagenet_classes.h"
#include "program.h"
#include "tiny_jpeg.h"

namespace gpueval::test {
namespace {

class DataFaults : public ProgramTest {
 protected:
  static std::string jpeg() { return {kTinyJpeg.begin(), kTinyJpeg.end()}; }
  void write_pictures(int count, const std::string& bytes) const {
    std::string list;
    for (int i = 0; i < count; ++i) {
      write(fmt::format("f/{:03d}.jpg", i), bytes);
      list += fmt::format("{}\n", i % 10);
    }
    write("list.txt", list);
  }
  std::vector<std::string> judge(std::vector<std::string> more = {}) const {
    std::vector<std::string> args{"--model",  "demo",   "--data",   "f",        "--labels",
                                  "list.txt", "--mode", "accuracy", "--scheme", "reference"};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
};

TEST_F(DataFaults, PipesAreRefusedWhereverFilesAreExpected) {
  write_pictures(2, jpeg());
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  ASSERT_EQ(mkfifo(path("f/x.jpg").c_str(), 0600), 0);
  const std::string text = ": expected a regular file, found a pipe";
  expect_error({"--model", "demo", "--data", "pipe", "--mode", "accuracy"}, 1, "pipe" + text);
  expect_error({"--model", "demo", "--image", "pipe"}, 1, "pipe" + text);
  expect_error({"--model", "demo", "--image", "f/000.jpg", "--class-names", "pipe"}, 1, "pipe" + text);
  expect_error(judge(), 1, "f/x.jpg" + text);
  std::filesystem::remove(path("f/x.jpg"));
  expect_error({"--model", "demo", "--data", "f", "--labels", "pipe", "--mode", "accuracy"}, 1, "pipe" + text);
  expect_error({"--model", "demo", "--data", "/dev/zero", "--mode", "accuracy"}, 1, "found a device");
}

TEST_F(DataFaults, NothingDecodedIsAnErrorAndPassesNoGate) {
  write_pictures(8, "no picture");
  const std::string text = "could be decoded";
  expect_error(judge(), 1, "f: none of the 8 images " + text);
  expect_error(judge({"--reference", "0", "--threshold", "100"}), 1, text);
  expect_error({"calibrate", "--model", "demo", "--data", "f", "--labels", "list.txt", "--calibration-table", "t.json"},
               1, "f: none of the 8 images could be decoded; the first: f/004.jpg: expected a JPEG or PNG image");
  expect_error({"sensitivity", "--model", "demo", "--scheme", "maxabs", "--data", "f", "--labels", "list.txt"}, 1,
               "f: none of the 2 images could be decoded; the first: f/004.jpg: expected a JPEG or PNG image");
  EXPECT_FALSE(std::filesystem::exists(path("t.json")));
}

TEST_F(DataFaults, LabelsOfOtherClassesAreRefusedBeforeTheRun) {
  write_pictures(3, jpeg());
  write("list.txt", "1\n10\n3\n");
  expect_error(judge(), 1, "its class ids run from 1 to 10, so they count from 1");
  expect_error({"--model", "demo", "--data", "f", "--mode", "accuracy"}, 2, "--labels");
}

TEST_F(DataFaults, ClassNamesMayHaveAMarkAndOtherLineEnds) {
  write("x.jpg", jpeg());
  std::string names = "\xef\xbb\xbf";
  for (int i = 0; i < 10; ++i) names += fmt::format("name {}\r\n", i);
  write("names.txt", names + "\r\n");
  const Outcome outcome =
      run({"--model", "demo", "--image", "x.jpg", "--class-names", "names.txt", "--precision", "float32"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("  name "), std::string::npos);
  EXPECT_EQ(outcome.out.find('\r'), std::string::npos);
  EXPECT_EQ(outcome.out.find("\xef\xbb\xbf"), std::string::npos);
}

TEST_F(DataFaults, ImageNetsClassesHaveNamesWithoutAList) {
  write("x.jpg", jpeg());
  const Outcome outcome =
      run({"--model", "squeezenet", "--weights", "random", "--image", "x.jpg", "--precision", "float32"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  int named = 0;
  for (const data::ImageNetClass& entry : data::imagenet_classes())
    named += outcome.out.find("  " + std::string(entry.name) + "\n") != std::string::npos ? 1 : 0;
  EXPECT_GE(named, 5) << outcome.out;
}

}  // namespace
}  // namespace gpueval::test
