// SPDX-License-Identifier: Apache-2.0
// Files that users name: what is no regular file is refused at once, what is written gets its name when it is whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "core/input_file.h"
#include "core/json_text.h"
#include "core/output_file.h"
#include "core/printable.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() {
    std::string pattern = (fs::temp_directory_path() / "gpueval_files_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~FilesTest() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void put(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
  std::string get(const std::string& name) const { return read_file(path(name), 1 << 20); }

  fs::path folder_;
};

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_F(FilesTest, OnlyRegularFilesAreReadAndNothingWaits) {
  put("a", "text");
  EXPECT_EQ(get("a"), "text");
  EXPECT_THAT(message_of([&] { read_file(path("a"), 3); }), HasSubstr("4 bytes, expected at most 3"));
  EXPECT_THAT(message_of([&] { read_file(path("none"), 9); }), HasSubstr("No such file"));
  EXPECT_THAT(message_of([&] { read_file(folder_.string(), 9); }), HasSubstr("found a folder"));
  EXPECT_THAT(message_of([] { read_file("/dev/zero", 9); }), HasSubstr("found a device"));
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(message_of([&] { read_file(path("pipe"), 9); }), HasSubstr("found a pipe"));
}

TEST_F(FilesTest, AFileGetsItsNameWhenItIsWhole) {
  put("a", "old");
  {
    OutputFile file(path("a"));
    file.write("new ");
    EXPECT_EQ(get("a"), "old");
    EXPECT_TRUE(fs::exists(path("a.part")));
    file.write("text");
    file.write_at(0, "New");
    file.commit();
  }
  EXPECT_EQ(get("a"), "New text");
  EXPECT_FALSE(fs::exists(path("a.part")));
  { OutputFile(path("a")).write("never"); }
  EXPECT_EQ(get("a"), "New text");
  EXPECT_FALSE(fs::exists(path("a.part")));
}

TEST_F(FilesTest, AStaleShorterOrLongerPartIsNoPartOfTheResult) {
  put("a.part", "something long that was left");
  OutputFile file(path("a"));
  file.write("new");
  file.commit();
  EXPECT_EQ(get("a"), "new");
}

TEST_F(FilesTest, WhatAnEarlierRunLeftIsTakenUp) {
  put("a.part", "first");
  check_writable(path("a"));
  EXPECT_EQ(get("a.part"), "first") << "asking costs nothing";
  {
    OutputFile file(path("a"), Earlier::kKept);
    EXPECT_EQ(file.size(), 5u);
    std::string front(3, ' ');
    EXPECT_EQ(file.read_at(2, std::as_writable_bytes(std::span(front))), 3u);
    EXPECT_EQ(front, "rst");
    EXPECT_EQ(file.read_at(4, std::as_writable_bytes(std::span(front))), 1u);
    file.cut(4);
    file.write(" and second");
    file.leave_part();
  }
  EXPECT_EQ(get("a.part"), "firs and second");
  fs::rename(path("a.part"), path("a"));
  {
    OutputFile file(path("a"), Earlier::kKept);  // no .part file: what is finished, copied
    file.write(" and third");
    EXPECT_EQ(get("a"), "firs and second");
    file.commit();
  }
  EXPECT_EQ(get("a"), "firs and second and third");
  check_writable(path("a"));
  EXPECT_FALSE(fs::exists(path("a.part")));
}

TEST_F(FilesTest, LinksInPlaceOfThePartAreRefused) {
  put("victim", "precious");
  fs::create_symlink(path("victim"), path("a.part"));
  EXPECT_THAT(message_of([&] { OutputFile(path("a")); }), HasSubstr("symbolic link"));
  fs::remove(path("a.part"));
  fs::create_hard_link(path("victim"), path("a.part"));
  EXPECT_THAT(message_of([&] { OutputFile(path("a")); }), HasSubstr("not a plain file"));
  EXPECT_EQ(get("victim"), "precious");
}

TEST_F(FilesTest, ALinkKeepsPointingToItsFile) {
  put("target", "old");
  fs::create_symlink("target", path("link"));
  OutputFile file(path("link"));
  file.write("new");
  file.commit();
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(get("target"), "new");
}

TEST_F(FilesTest, PlacesThatCannotBeWrittenAreRefusedAtOnce) {
  put("a", "text");
  EXPECT_THAT(message_of([&] { OutputFile(path("none/b")); }), HasSubstr("No such file or directory"));
  EXPECT_THAT(message_of([&] { OutputFile(path("a/b")); }), HasSubstr("Not a directory"));
  EXPECT_THAT(message_of([&] { OutputFile(folder_.string()); }), HasSubstr("Is a directory"));
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(message_of([&] { OutputFile(path("pipe")); }), HasSubstr("cannot be written"));
  const OutputFile first(path("b"));
  EXPECT_THAT(message_of([&] { OutputFile(path("b")); }), HasSubstr("another run"));
}

TEST_F(FilesTest, DevicesAreWrittenStraight) {
  OutputFile null("/dev/null");
  null.write("text");
  null.commit();
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  OutputFile full("/dev/full");
  EXPECT_THAT(message_of([&] { full.write("text"); }), HasSubstr("No space left"));
}

TEST(JsonText, DepthAndTwiceNamedKeysAreRefused) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_NO_THROW(parse_json(nested(64), "a.json"));
  EXPECT_THAT(message_of([&] { parse_json(nested(65), "a.json"); }), HasSubstr("at most 64 levels"));
  EXPECT_THAT(message_of([&] { parse_json(nested(5'000'000), "a.json"); }), HasSubstr("at most 64 levels"));
  EXPECT_NO_THROW(parse_json(R"({"a": "[[[[\"[", "b": {"a": 1}})", "a.json"));
  EXPECT_THAT(message_of([] { parse_json(R"({"a": 1, "b": {"c": 1, "c": 2}})", "a.json"); }),
              HasSubstr("'c' stands twice"));
  EXPECT_THAT(message_of([] { parse_json("{", "a.json"); }), HasSubstr("a.json: expected JSON"));
  EXPECT_THAT(message_of([] { parse_json("{\"\xff\": 1}", "a.json"); }), HasSubstr("a.json: expected JSON"));
}

TEST(Printable, NothingThatATerminalObeysIsLeft) {
  EXPECT_EQ(printable("plain \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "plain \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(printable("\x1b[2J\a\r\t\x7f"), "\\x1b[2J\\x07\\x0d\\x09\\x7f");
  EXPECT_EQ(printable("a\nb"), "a\\nb");
  EXPECT_EQ(printable("a\nb", NewLines::kKeep), "a\nb");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\u009b31m");
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "gpj"),
            "\\u202egpj");
  EXPECT_EQ(printable("a\xe2\x80\x8b\xf3\xa0\x81\x81\xef\xbf\xbe"), "a\\u200b\\U000e0041\\ufffe") << "shows nothing";
  EXPECT_EQ(printable("\xff\xc0\x80\xed\xa0\x80"), "\\xff\\xc0\\x80\\xed\\xa0\\x80");
  EXPECT_EQ(printable("\xf0\x9f\x98"), "\\xf0\\x9f\\x98");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

}  // namespace
}  // namespace gpueval
