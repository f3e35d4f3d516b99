// SPDX-License-Identifier: Apache-2.0
// Where results go: nothing that is read or written already is replaced, a place that cannot be written is refused
// before the run, and what could not be written in the end is exit code 1.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "program.h"
#include "tiny_jpeg.h"

namespace gpueval::test {
namespace {

namespace fs = std::filesystem;

class Outputs : public ProgramTest {
 protected:
  static std::vector<std::string> quick(std::vector<std::string> more) {
    std::vector<std::string> args{"--model", "demo",    "--scheme", "maxabs", "--calibration-images",
                                  "8",       "--limit", "20",       "--mode", "accuracy"};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
  void expect_no_parts() const {
    for (const auto& entry : fs::recursive_directory_iterator(path(""))) {
      EXPECT_NE(entry.path().extension(), ".part") << entry.path();
    }
  }
};

TEST_F(Outputs, TwoInOnePlaceAreRefused) {
  expect_error(quick({"--json", "r", "--html", "r"}), 2, "--json r and --html r are the same file");
  expect_error(quick({"--json", "r", "--html", "./r"}), 2, "are the same file");
  expect_error(quick({"--json", "r", "--save-logits", path("r")}), 2, "are the same file");
  expect_error(quick({"--json", "r.part", "--html", "r"}), 2, "are the same file");
  fs::create_symlink("later", path("soft"));
  expect_error(quick({"--json", "later", "--html", "soft"}), 2, "are the same file");
  write("one", "x");
  fs::create_hard_link(path("one"), path("hard"));
  expect_error(quick({"--json", "one", "--html", "hard"}), 2, "are the same file");
  fs::create_directory(path("d"));
  fs::create_directory_symlink("d", path("e"));
  expect_error(quick({"--json", "d/r", "--html", "e/../e/r"}), 2, "are the same file");
  expect_error({"table", "--model", "demo", "--json", "r", "--markdown", "r"}, 2, "are the same file");
  expect_error(quick({"--json", "-", "--html", "-"}), 2, "--json - and --html -");
  EXPECT_EQ(read("one"), "x");
}

TEST_F(Outputs, WhatIsReadIsNotReplaced) {
  write("w", "weights");
  expect_error(quick({"--weights", "w", "--json", "w"}), 2, "--json w would replace what is read: --weights w");
  fs::create_symlink("w", path("soft"));
  expect_error(quick({"--weights", "w", "--json", "soft"}), 2, "would replace what is read");
  fs::create_hard_link(path("w"), path("hard"));
  expect_error(quick({"--weights", "w", "--save-logits", "hard"}), 2, "would replace what is read");
  write("r.part", "weights");
  expect_error(quick({"--weights", "r.part", "--json", "r"}), 2, "would replace what is read");
  write("d", "data");
  expect_error(quick({"--data", "d", "--html", "d"}), 2, "would replace what is read: --data d");
  write("labels.txt", "0\n");
  expect_error(quick({"--data", "d", "--labels", "labels.txt", "--html", "./labels.txt"}), 2, "--labels labels.txt");
  write("t.json", "{}");
  expect_error({"--model", "demo", "--calibration-table", "t.json", "--json", "t.json"}, 2,
               "would replace what is read");
  write("net.weights", "weights");
  expect_error({"calibrate", "--model", "demo", "--weights", "net.weights", "--calibration-table", "net.json"}, 2,
               "--calibration-table (its weights) net.weights would replace what is read");
  write("data/mobilenet_2_5_224_tf.h5", "weights");
  fs::create_hard_link(path("data/mobilenet_2_5_224_tf.h5"), path("found"));
  data_ = path("data");
  expect_error({"--model", "mobilenet", "--alpha", "0.25", "--mode", "speed", "--json", "found"}, 2,
               "would replace what is read: the weights");
  EXPECT_EQ(read("w") + read("d") + read("labels.txt"), "weightsdata0\n");
}

TEST_F(Outputs, NamesOfOtherFormatsAreRefused) {
  for (const char* name : {"x.tflite", "x.json", "x.pb", "x.onnx.txt"}) {
    expect_error({"export", "--model", "demo", "--onnx", name}, 2, "name it *.onnx");
  }
  expect_error(quick({"--json", "x.h5"}), 2, "--json x.h5: the name says .h5");
  expect_error(quick({"--json", "x.html"}), 2, "name it *.json");
  expect_error(quick({"--html", "X.JPEG"}), 2, "name it *.html");
  expect_error(quick({"--save-logits", "x.npz"}), 2, "name it *.npy");
  expect_error({"table", "--model", "demo", "--markdown", "x.json"}, 2, "name it *.md");
  expect_error({"calibrate", "--model", "demo", "--calibration-table", "x.h5"}, 2, "name it *.json");
  expect_error(quick({"--json", ""}), 2, "--json '' names no file");
  expect_error(quick({"--save-logits", "-"}), 2, "--save-logits -: only");
  expect_error({"export", "--model", "demo", "--onnx", "-"}, 2, "--onnx -: only");
}

TEST_F(Outputs, DashPrintsTheFormAlone) {
  const Outcome json = run(quick({"--json", "-"}));
  EXPECT_EQ(json.code, 0) << json.err;
  const nlohmann::json parsed = nlohmann::json::parse(json.out, nullptr, false);
  ASSERT_TRUE(parsed.is_object()) << json.out;
  EXPECT_EQ(parsed["runs"].size(), 2u);
  EXPECT_FALSE(fs::exists(path("-")));
  const Outcome same = run(quick({"--json", "/dev/stdout", "--reference", "0.5"}));
  EXPECT_EQ(same.code, 0) << same.err;
  EXPECT_TRUE(nlohmann::json::accept(same.out)) << same.out;
  EXPECT_NE(same.err.find("Accuracy gate passed"), std::string::npos) << "it may not stand between: " << same.err;
  const Outcome html = run(quick({"--html", "-", "--json", "r.json"}));
  EXPECT_TRUE(html.out.starts_with("<!DOCTYPE html>")) << html.out.substr(0, 100);
  EXPECT_TRUE(html.out.ends_with("</html>\n")) << html.out.substr(html.out.size() - 100);
  EXPECT_EQ(read_json("r.json")["runs"].size(), 2u);
}

TEST_F(Outputs, UnwritablePlacesAreRefusedBeforeTheRun) {
  write("file", "x");
  fs::create_directory(path("folder"));
  const std::pair<std::string, const char*> places[] = {{"no/such/r", "no/such/r: cannot be written: No such file"},
                                                        {"file/r", "Not a directory"},
                                                        {"folder", "Is a directory"},
                                                        {"/proc/r", "/proc/r: cannot be written"}};
  for (const auto& [place, reason] : places) expect_error(quick({"--json", place}), 1, reason);
  const auto& [place, reason] = places[1];
  for (const char* option : {"--html", "--save-logits"}) expect_error(quick({option, place}), 1, reason);
  expect_error({"export", "--model", "demo", "--onnx", place}, 1, reason);
  expect_error({"calibrate", "--model", "demo", "--calibration-table", place}, 1, reason);
  expect_error({"table", "--model", "demo", "--markdown", place}, 1, reason);
  expect_error({"sensitivity", "--model", "demo", "--json", place}, 1, reason);
}

TEST_F(Outputs, AFullDiskIsAnErrorBesideTheTable) {
  const Outcome outcome = run(quick({"--json", "/dev/full", "--html", "r.html"}));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.out.find("int8 maxabs"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.err, "gpu_eval: error: /dev/full: cannot be written: No space left on device\n");
  EXPECT_NE(read("r.html").find("</html>"), std::string::npos) << "the other file is written";
}

TEST_F(Outputs, StdoutThatTakesNothingIsAnError) {
  write("i.jpg", {kTinyJpeg.begin(), kTinyJpeg.end()});
  ASSERT_EQ(run(quick({"--json", "a.json"})).code, 0);
  const std::vector<std::vector<std::string>> commands{
      {"--help"},
      {"--version"},
      {"list", "models"},
      {"list", "devices"},
      {"compare", "a.json", "a.json"},
      quick({"--json", "r.json"}),
      {"--model", "demo", "--image", "i.jpg", "--precision", "float32"},
      {"export", "--model", "demo", "--onnx", "x.onnx"},
      {"table", "--model", "demo", "--mode", "accuracy", "--limit", "8", "--calibration-images", "8"},
  };
  const std::function<void()> ways[] = {[] { dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO); },
                                        [] { close(STDOUT_FILENO); },
                                        [] {  // a reader that has left, as `| head` does
                                          int ends[2];
                                          if (pipe(ends) != 0) _exit(126);
                                          close(ends[0]);
                                          dup2(ends[1], STDOUT_FILENO);
                                        }};
  for (const auto& way : ways) {
    in_child_ = way;
    for (const std::vector<std::string>& args : commands) {
      if (args[0] == "table" && &way != &ways[0]) continue;  // takes its time
      fs::remove(path("r.json"));
      const Outcome outcome = run(args);
      EXPECT_EQ(outcome.code, 1) << args[0] << " " << outcome.err;
      EXPECT_NE(outcome.err.find("standard output"), std::string::npos) << args[0] << " " << outcome.err;
      if (args.back() != "r.json") continue;
      EXPECT_EQ(read_json("r.json")["runs"].size(), 2u) << "the file is not lost";
    }
  }
}

TEST_F(Outputs, TheLimitOfAFilesSizeIsAnErrorAndKeepsTheOldFile) {
  write("r.json", "old");
  in_child_ = [] {
    const rlimit limit{6000, 6000};
    setrlimit(RLIMIT_FSIZE, &limit);
  };
  const Outcome outcome = run(quick({"--json", "r.json"}));
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_NE(outcome.out.find("int8 maxabs"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.err.find("r.json: cannot be written: File too large"), std::string::npos) << outcome.err;
  EXPECT_EQ(read("r.json"), "old");
  const Outcome onnx = run({"export", "--model", "demo", "--onnx", "x.onnx"});
  EXPECT_EQ(onnx.code, 1);
  EXPECT_NE(onnx.err.find("x.onnx: cannot be written: File too large"), std::string::npos) << onnx.err;
  const Outcome table = run({"calibrate", "--model", "demo", "--scheme", "maxabs", "--calibration-table", "t.json"});
  EXPECT_EQ(table.code, 1);
  EXPECT_NE(table.err.find("File too large"), std::string::npos) << table.err;
  for (const char* name : {"x.onnx", "t.json", "t.weights"}) EXPECT_FALSE(fs::exists(path(name))) << name;
  expect_no_parts();
}

// Outputs are written behind the judging: the result stands, and nothing half-written.
TEST_F(Outputs, TheLimitOfAnOutputsSizeIsAnErrorBesideTheTable) {
  in_child_ = [] {
    const rlimit limit{6000, 6000};
    setrlimit(RLIMIT_FSIZE, &limit);
  };
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--save-outputs", "out"}, {"--save-logits", "l.npy", "--probabilities"}}) {
    std::vector<std::string> args = quick(more);
    std::replace(args.begin(), args.end(), std::string("20"), std::string("300"));
    const Outcome outcome = run(args);
    EXPECT_EQ(outcome.code, 1) << outcome.err;
    EXPECT_NE(outcome.out.find("int8 maxabs"), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.err.find(".npy: cannot be written: File too large"), std::string::npos) << outcome.err;
  }
  EXPECT_FALSE(fs::exists(path("l.npy")));
  EXPECT_FALSE(fs::exists(path("out/logits.npy")));
  expect_no_parts();
}

TEST_F(Outputs, PlantedPartsAreNotFollowed) {
  write("victim", "precious");
  fs::create_symlink("victim", path("r.json.part"));
  expect_error(quick({"--json", "r.json"}), 1, "r.json.part is a symbolic link");
  EXPECT_EQ(read("victim"), "precious");
}

TEST_F(Outputs, APipeIsWrittenStraight) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  const int reader = open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  const Outcome outcome = run(quick({"--json", "pipe"}));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  std::string text(1 << 20, '\0');
  const ssize_t bytes = ::read(reader, text.data(), text.size());
  close(reader);
  ASSERT_GT(bytes, 0);
  EXPECT_TRUE(nlohmann::json::accept(text.substr(0, static_cast<std::size_t>(bytes))));
}

}  // namespace
}  // namespace gpueval::test
