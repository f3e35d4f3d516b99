// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and its like at any moment: the run ends soon, with 130, with what was done, and with no half-written file.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "program.h"
#include "tiny_jpeg.h"

namespace gpueval::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Signals : public ProgramTest {
 protected:
  // The program gets the signal after a while; it must have had more to do than that.
  Outcome interrupted(const std::vector<std::string>& args, std::chrono::milliseconds after, int signal = SIGINT) {
    const pid_t process = start(args);
    std::this_thread::sleep_for(after);
    kill(process, signal);
    const auto begin = std::chrono::steady_clock::now();
    Outcome outcome = wait(process);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s) << args.front();
    for (const auto& entry : fs::recursive_directory_iterator(path(""))) {
      EXPECT_NE(entry.path().extension(), ".part") << entry.path();
    }
    return outcome;
  }
  std::size_t journals() const {
    std::error_code missing;
    fs::directory_iterator entries(path("cache"), missing);
    return missing ? 0 : static_cast<std::size_t>(std::distance(entries, fs::directory_iterator()));
  }
  void pictures(int count = 4) const {
    std::string labels;
    for (int i = 1; i <= count; ++i) {
      const std::string name = std::to_string(i);
      write("f/" + name + ".jpg", std::string(kTinyJpeg.begin(), kTinyJpeg.end()) + name);  // none like another
      labels += std::to_string(i % 8) + '\n';
    }
    write("l.txt", labels);
  }
};

TEST_F(Signals, EndEveryPartWith130) {
  write("i.jpg", {kTinyJpeg.begin(), kTinyJpeg.end()});
  const struct {
    std::vector<std::string> args;
    std::chrono::milliseconds after;
  } cases[] = {
      {{"--model", "vgg16", "--weights", "random", "--mode", "speed", "--json", "r.json"}, 300ms},      // loading
      {{"--model", "resnet50", "--weights", "random", "--mode", "speed", "--scheme", "best"}, 3000ms},  // calibrating
      {{"--model", "demo", "--scheme", "auto", "--html", "r.html"}, 2000ms},
      {{"calibrate", "--model", "demo", "--scheme", "auto", "--calibration-table", "t.json"}, 1000ms},
      {{"sensitivity", "--model", "demo", "--target-loss", "0", "--duration", "600"}, 300ms},
      {{"export", "--model", "resnet50", "--weights", "random", "--onnx", "x.onnx", "--precision", "int8", "--scheme",
        "best"},
       2000ms},
      {{"--model", "demo", "--image", "i.jpg", "--scheme", "auto"}, 1000ms},
  };
  for (const auto& c : cases) {
    for (const int signal : {SIGINT, SIGTERM}) {
      const Outcome outcome = interrupted(c.args, c.after, signal);
      EXPECT_EQ(outcome.code, 130) << c.args[0] << " " << c.args[1] << "\n" << outcome.err << outcome.out;
      EXPECT_TRUE(outcome.out.empty()) << "nothing was measured yet: " << outcome.out;
      EXPECT_NE(outcome.err.find("interrupted before there was a result"), std::string::npos) << outcome.err;
      if (signal == SIGINT && c.args[0] == "sensitivity") break;
    }
  }
  for (const char* name : {"r.json", "r.html", "t.json", "t.weights", "x.onnx"}) EXPECT_FALSE(fs::exists(path(name)));
}

TEST_F(Signals, SpeedSaysWhatItMeasured) {
  for (const int signal : {SIGINT, SIGHUP, SIGXCPU}) {
    const Outcome outcome = interrupted(
        {"--model", "demo", "--precision", "float32", "--mode", "speed", "--duration", "600", "--json", "r.json"},
        3000ms, signal);
    EXPECT_EQ(outcome.code, 130) << signal << outcome.err;
    EXPECT_NE(outcome.out.find("Interrupted"), std::string::npos) << outcome.out;
    const nlohmann::json json = read_json("r.json");
    EXPECT_TRUE(json["interrupted"].get<bool>());
    EXPECT_FALSE(json["valid"].get<bool>());
    EXPECT_GT(json["runs"][0]["speed"]["samples"], 0);
  }
}

TEST_F(Signals, SensitivitySaysWhatItMeasured) {
  // The speed part of --target-loss would take ten minutes: by then all layers are ranked.
  const Outcome outcome =
      interrupted({"sensitivity", "--model", "demo", "--scheme", "maxabs", "--target-loss", "50", "--limit", "50",
                   "--choosing-images", "50", "--duration", "600", "--json", "r.json"},
                  9000ms);
  EXPECT_EQ(outcome.code, 130) << outcome.err << outcome.out;
  EXPECT_NE(outcome.out.find("Interrupted"), std::string::npos) << outcome.out;
  const nlohmann::json json = read_json("r.json");
  EXPECT_TRUE(json["interrupted"].get<bool>());
  EXPECT_FALSE(json["layers"].empty());
}

TEST_F(Signals, RealTablePrintsTheNetworksDone) {
  const char* folder = std::getenv("GPUEVAL_DATA");
  const fs::path real = fs::absolute(folder != nullptr ? folder : GPUEVAL_DEFAULT_DATA) / "weights";
  fs::create_directories(path("data"));
  for (const char* name : {"mobilenet_2_5_224_tf.h5", "squeezenet_weights_tf_dim_ordering_tf_kernels.h5"}) {
    if (!fs::exists(real / name)) GTEST_SKIP() << real / name << " is missing";
    fs::create_symlink(real / name, path(std::string("data/") + name));
  }
  data_ = path("data");
  pictures(250);
  const pid_t process = start({"table", "--data", "f", "--labels", "l.txt", "--mode", "accuracy",
                               "--calibration-images", "2", "--json", "r.json"});
  for (int i = 0; i < 5000 && journals() < 2; ++i) std::this_thread::sleep_for(20ms);  // SqueezeNet's is the second
  kill(process, SIGTERM);
  const Outcome outcome = wait(process);
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  EXPECT_NE(outcome.out.find("mobilenet 0.25"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("Interrupted"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.err.find("--resume"), std::string::npos) << outcome.err;
  EXPECT_TRUE(read_json("r.json")["interrupted"].get<bool>());
  EXPECT_GE(journals(), 1u) << "to resume from";
}

TEST_F(Signals, NohupKeepsItsPromise) {
  in_child_ = [] { std::signal(SIGHUP, SIG_IGN); };
  const pid_t process = start({"--model", "demo", "--scheme", "maxabs", "--mode", "accuracy"});
  std::this_thread::sleep_for(500ms);
  kill(process, SIGHUP);
  EXPECT_EQ(wait(process).code, 0);
}

// A pipe that nobody empties must not hold the program for ever.
TEST_F(Signals, EndWritingToAPipe) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  const int reader = open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(fcntl(reader, F_SETPIPE_SZ, 4096), 0);
  const Outcome outcome = interrupted(
      {"--model", "demo", "--precision", "float32", "--mode", "accuracy", "--limit", "20", "--html", "pipe"}, 4000ms);
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  close(reader);
}

// Pictures and weights that are pipes: refused, not waited for.
TEST_F(Signals, APipeIsNoInput) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  in_child_ = [] { alarm(20); };
  for (const char* option : {"--weights", "--data", "--image"}) {
    expect_error({"--model", "demo", option, "pipe"}, 1, "pipe: expected a regular file, found a pipe");
  }
}

}  // namespace
}  // namespace gpueval::test
