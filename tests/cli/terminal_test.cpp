// SPDX-License-Identifier: Apache-2.0
// What files of others say reaches the terminal as text, never as a command to it, and no file name forges a line.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <regex>

#include "program.h"
#include "tiny_jpeg.h"

namespace gpueval::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// Clears the screen, sets the window's title, begins a line as ours begin, turns the direction of writing, is a C1
// control and is no UTF-8.
const std::string kHostile = "x\033[2J\033]0;owned\007\ngpu_eval: error: forged\r\xe2\x80\xae\xc2\x9b\xff";
const std::string kShown = "x\\x1b[2J\\x1b]0;owned\\x07\\ngpu_eval: error: forged\\x0d\\u202e\\u009b\\xff";

std::string jpeg() { return {kTinyJpeg.begin(), kTinyJpeg.end()}; }

void expect_harmless(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    ASSERT_TRUE(c == '\n' || (c >= 0x20 && c != 0x7f)) << "byte " << i << " of\n" << text;
  }
  EXPECT_THAT(text, Not(HasSubstr("\xe2\x80\xae")));
  EXPECT_THAT(text, Not(HasSubstr("\xc2\x9b")));
  EXPECT_THAT(text, Not(HasSubstr("\xff")));
  EXPECT_THAT(text, Not(HasSubstr("\ngpu_eval: error: forged"))) << "a file name begins a line";
}

class Terminal : public ProgramTest {
 protected:
  void write_demo_table(const std::string& name) {
    ASSERT_EQ(run({"calibrate", "--model", "demo", "--scheme", "maxabs", "--calibration-table", name}).code, 0);
  }
};

// The check reads the sources: what prints elsewhere would bypass the filter.
TEST(TerminalSource, IsTheOnlyFileThatPrints) {
  const std::regex printing(
      R"(fmt::print|std::(cout|cerr|clog|print)|\b(stdout|stderr)\b|\b(v?d?printf|puts|fputs|putchar|fputc|perror|psignal)\s*\(|\b(p?write|fdopen)\s*\(\s*(STD(OUT|ERR)_FILENO|[12]\b))");
  const std::regex comment(R"(//.*)"), text(R"("([^"\\]|\\.)*")");
  std::size_t files = 0;
  for (const char* folder : {"src", "models", "cuda", "include"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::filesystem::path(GPUEVAL_SOURCE_DIR) / folder)) {
      const std::string name = entry.path().lexically_relative(GPUEVAL_SOURCE_DIR).string();
      const std::string extension = entry.path().extension().string();
      if (extension != ".cpp" && extension != ".h" && extension != ".cu" && extension != ".cuh") continue;
      if (name == "src/program/terminal.cpp") continue;
      ++files;
      std::ifstream file(entry.path());
      int number = 0;
      for (std::string line; std::getline(file, line);) {
        ++number;
        const std::string code = std::regex_replace(std::regex_replace(line, text, "\"\""), comment, "");
        EXPECT_FALSE(std::regex_search(code, printing)) << name << ":" << number << ": " << line;
      }
    }
  }
  EXPECT_GT(files, 300u);
}

TEST_F(Terminal, ErrorsAboutHostileFileNamesAreOneLine) {
  const std::vector<std::vector<std::string>> commands{{"--model", "demo", "--weights", kHostile},
                                                       {"--model", "demo", "--data", kHostile},
                                                       {"--model", "demo", "--image", kHostile},
                                                       {"--model", kHostile},
                                                       {kHostile},
                                                       {"--" + kHostile},
                                                       {"compare", kHostile, kHostile},
                                                       {"list", kHostile},
                                                       {"--model", "demo", "--device", kHostile},
                                                       {"--model", "demo", "--scheme", kHostile},
                                                       {"--model", "demo", "--percentiles", kHostile},
                                                       {"--model", "demo", "--float-layers", kHostile},
                                                       {"--model", "demo", "--calibration-table", kHostile}};
  for (const auto& command : commands) {
    const Outcome outcome = run(command);
    EXPECT_NE(outcome.code, 0) << command.front();
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with("gpu_eval: error: ")) << outcome.err;
    expect_harmless(outcome.err);
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(Terminal, MeasuredFoldersWithHostileNames) {
  for (char folder = 'a'; folder <= 'j'; ++folder) write(kHostile + '/' + folder + "/1.jpg", jpeg());  // 10 classes
  write(kHostile + "/b/" + kHostile + ".jpg", jpeg().substr(0, 100));
  const Outcome outcome = run({"--model", "demo", "--data", kHostile, "--mode", "accuracy", "--scheme", "reference",
                               "--html", "r.html", "--json", "r.json"});
  expect_harmless(outcome.out);
  expect_harmless(outcome.err);
  EXPECT_THAT(outcome.out, HasSubstr("gpu_eval: error: forged\\x0d\\u202e"));
  expect_harmless(read("r.html"));
  expect_harmless(read("r.json"));
  EXPECT_THAT(read_json("r.json")["data"]["path"].get<std::string>(), HasSubstr("x\033[2J\033]0;owned\007\ngpu_eval"))
      << "JSON has what there is, escaped";
}

TEST_F(Terminal, ClassNames) {
  write("i.jpg", jpeg());
  std::string names;
  for (int i = 0; i < 10; ++i) names += "\033]52;c;aGFja2Vk\007\xe2\x80\xaename\n";
  write("names.txt", names);
  const Outcome outcome =
      run({"--model", "demo", "--scheme", "maxabs", "--image", "i.jpg", "--class-names", "names.txt"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  expect_harmless(outcome.out);
  EXPECT_THAT(outcome.out, HasSubstr("\\x1b]52;c;aGFja2Vk\\x07\\u202ename\n"));
}

TEST_F(Terminal, CalibrationTables) {
  write_demo_table("t.json");
  nlohmann::json table = read_json("t.json");
  for (const char* field : {"model", "weights_sha256", "preprocessing", "scheme", "activations"}) {
    nlohmann::json changed = table;
    changed[field] = "\033[2J\ngpu_eval: error: forged";
    write("bad.json", changed.dump());
    const Outcome outcome =
        run({"--model", "demo", "--calibration-table", "bad.json", "--mode", "accuracy", "--limit", "4"});
    EXPECT_LE(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    expect_harmless(outcome.err);
    expect_harmless(outcome.out);
  }
  for (const char* text : {"{\"schema\": 1, \"\033[2J\": }", "\"\033[2J\xff", "{\"a\033[2J\": 1, \"a\033[2J\": 2}"}) {
    write("bad.json", text);
    const Outcome outcome =
        run({"--model", "demo", "--calibration-table", "bad.json", "--mode", "accuracy", "--limit", "4"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    expect_harmless(outcome.err);
  }
}

// Every text of a result replaced, one part of it after the other.
TEST_F(Terminal, ComparedResults) {
  ASSERT_EQ(
      run({"--model", "demo", "--scheme", "maxabs", "--limit", "20", "--mode", "accuracy", "--json", "a.json"}).code,
      0);
  const nlohmann::json result = read_json("a.json");
  int texts = 0;
  for (const auto& [part, value] : result.items()) {
    nlohmann::json flat = nlohmann::json{{part, value}}.flatten(), changed = result;
    for (auto& [pointer, leaf] : flat.items()) {
      if (!leaf.is_string()) continue;
      leaf = "x\033[2J\ngpu_eval: error: forged\r\xe2\x80\xae\xc2\x9b";
      ++texts;
    }
    changed[part] = flat.unflatten()[part];
    write("b.json", changed.dump());
    const Outcome outcome = run({"compare", "a.json", "b.json"});
    expect_harmless(outcome.out);
    expect_harmless(outcome.err);
  }
  EXPECT_GT(texts, 20);
}

TEST_F(Terminal, ExportedNetworksAndTheirNote) {
  const Outcome outcome = run({"export", "--model", "demo", "--onnx", kHostile + ".onnx"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  expect_harmless(outcome.out);
  EXPECT_THAT(outcome.out, HasSubstr(kShown));
}

// A name may hold whatever markup there is.
TEST_F(Terminal, MarkdownAndHtmlOfATable) {
  const std::string folder = "`*_<b>[x](y)|\\~~&amp;";
  for (char name = 'a'; name <= 'j'; ++name) write(folder + '/' + name + "/1.jpg", jpeg() + name);  // 10 classes
  const Outcome outcome = run({"table", "--model", "demo", "--data", folder, "--mode", "accuracy",
                               "--calibration-images", "2", "--markdown", "-", "--html", "r.html"});
  EXPECT_THAT(outcome.out, HasSubstr("\\`\\*\\_\\<b\\>\\[x\\](y)\\|\\\\\\~\\~\\&amp;")) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("Command: `` gpu_eval table --model demo --data `*_<b>")) << "fence of two";
  EXPECT_THAT(read("r.html"), HasSubstr("`*_&lt;b&gt;[x](y)|\\~~&amp;amp;"));
  EXPECT_THAT(read("r.html"), Not(HasSubstr("<b>")));
}

// `gpu_eval ... > /dev/full`, and stdout closed.
TEST_F(Terminal, OutputThatGetsLostIsAnError) {
  const auto run_into = [&](int target, const std::vector<std::string>& args) {
    std::string program = GPUEVAL_BINARY_DIR "/gpu_eval";
    std::vector<char*> argv{program.data()};
    std::vector<std::string> copies = args;
    for (std::string& arg : copies) argv.push_back(arg.data());
    argv.push_back(nullptr);
    const std::string errors = path("stderr");
    const pid_t process = fork();
    if (process == 0) {
      dup2(open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDERR_FILENO);
      if (target < 0) close(STDOUT_FILENO);
      if (target >= 0) dup2(target, STDOUT_FILENO);
      execv(program.c_str(), argv.data());
      _exit(127);
    }
    return wait(process);
  };
  const int full = open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  for (const int target : {full, -1}) {  // -1: stdout is closed
    for (const std::vector<std::string>& args :
         {std::vector<std::string>{"--version"}, {"--help"}, {"list", "models"}, {"list", "kernels"}}) {
      const Outcome outcome = run_into(target, args);
      EXPECT_EQ(outcome.code, 1) << args.back();
      EXPECT_THAT(outcome.err, HasSubstr("gpu_eval: error: standard output: "));
    }
  }
  close(full);
}

}  // namespace
}  // namespace gpueval::test
