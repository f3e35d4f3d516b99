// SPDX-License-Identifier: Apache-2.0
// The demo measured from end to end: what the result says, interrupted and killed runs, tables, comparison.
#include <signal.h>
#include <unistd.h>

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "core/sha256.h"
#include "program.h"

namespace gpueval::test {
namespace {

class Measure : public ProgramTest {
 protected:
  // What two runs of the same measurement may differ in.
  static nlohmann::json without_times(nlohmann::json json) {
    json.erase("command");
    json["data"].erase("seconds");
    return json;
  }
  std::uintmax_t journal_bytes() const {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(path("cache"), error)) return entry.file_size(error);
    return 0;
  }
  template <typename Condition>
  static bool wait_for(Condition condition) {
    for (int i = 0; i < 60'000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return condition();
  }
};

TEST_F(Measure, DemoHasAccuracyAndSpeed) {
  const Outcome outcome = run({"--model", "demo", "--scheme", "maxabs", "--limit", "300", "--duration", "0.2", "--json",
                               "r.json", "--per-layer", "--percentiles", "50,95"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "") << "progress belongs to a terminal";
  EXPECT_TRUE(outcome.out.find("Result is: VALID") != std::string::npos ||
              outcome.out.find("Result is: NOISY") != std::string::npos)  // as other programs leave it
      << outcome.out;
  EXPECT_NE(outcome.out.find("p95 ms"), std::string::npos);
  EXPECT_NE(outcome.out.find("Layers of int8 maxabs"), std::string::npos);
  const nlohmann::json json = read_json("r.json");
  ASSERT_EQ(json["runs"].size(), 2u);
  EXPECT_EQ(json["runs"][0]["precision"], "float32");
  EXPECT_EQ(json["runs"][1]["scheme"], "maxabs");
  EXPECT_EQ(json["data"]["count"], 300);
  EXPECT_GT(json["runs"][0]["accuracy"]["top1"], 0.8);
  EXPECT_TRUE(json["runs"][1]["speed"]["latency_ms"].contains("p95"));
  EXPECT_GE(json["runs"][1]["speed"]["samples"], 10);
  EXPECT_GT(json["runs"][1]["layers"][0]["ms"], 0);
  EXPECT_GT(json["roofs"]["int8_gops"], 0);
  EXPECT_TRUE(json["runs"][1]["layers"][1].contains("roof_percent"));
  EXPECT_FALSE(json["calibration"]["excluded_from_accuracy"].get<bool>()) << "the demo has images of their own for it";
}

TEST_F(Measure, ServerScenarioFindsARateWithinTheBound) {
  const Outcome outcome = run({"--model", "demo", "--mode", "speed", "--scenario", "server", "--latency-bound", "50",
                               "--duration", "0.1", "--json", "server.json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("Scenario server: int8"), std::string::npos) << outcome.out;
  const nlohmann::json json = read_json("server.json");
  EXPECT_EQ(json["scenario"], "server");
  for (const nlohmann::json& row : json["runs"]) {
    const nlohmann::json& server = row["server"];
    EXPECT_GT(server["queries_per_second"], 0);
    EXPECT_LT(server["queries_per_second"], server["capacity"]);
    for (const nlohmann::json& trial : server["trials"]) {
      const bool kept = trial["complete"].get<bool>() && trial["latency_ms"]["p99"] <= 50.0;
      EXPECT_EQ(trial["met"].get<bool>(), kept);
    }
  }
}

TEST_F(Measure, OfflineAndSingleStreamNameTheirFigure) {
  const Outcome offline =
      run({"--model", "demo", "--mode", "speed", "--scenario", "offline", "--duration", "0.05", "--json", "o.json"});
  EXPECT_NE(offline.out.find("Scenario offline: int8 maxabs:"), std::string::npos) << offline.out;
  EXPECT_EQ(read_json("o.json")["runs"][0]["speed"]["batch"], 16);
  const Outcome stream =
      run({"--model", "demo", "--mode", "speed", "--scenario", "single-stream", "--duration", "0.05"});
  EXPECT_NE(stream.out.find("Scenario single-stream: float32: p90 latency"), std::string::npos) << stream.out;
}

TEST_F(Measure, ResultMatchesItsSchema) {
  if (std::system("python3 -c 'import jsonschema' 2>/dev/null") != 0)
    GTEST_SKIP() << "python3-jsonschema is not installed";
  ASSERT_EQ(run({"--model", "demo", "--limit", "50", "--duration", "0.05", "--per-layer", "--json", "both.json"}).code,
            0);
  ASSERT_EQ(run({"--model", "demo", "--limit", "50", "--mode", "accuracy", "--scheme", "reference", "--json",
                 "accuracy.json"})
                .code,
            0);
  ASSERT_EQ(
      run({"--model", "mobilenet", "--alpha", "0.25", "--weights", "random", "--scheme", "maxabs", "--mode", "speed",
           "--duration", "0.05", "--scenario", "server", "--latency-bound", "50", "--json", "speed.json"})
          .code,
      0);
  const std::string script =
      "import json,jsonschema,sys; jsonschema.validate(json.load(open(sys.argv[1])), json.load(open(sys.argv[2])))";
  for (const char* name : {"both.json", "accuracy.json", "speed.json"}) {
    const std::string command =
        "python3 -c '" + script + "' '" + path(name) + "' '" GPUEVAL_SOURCE_DIR "/docs/result-schema.json'";
    EXPECT_EQ(std::system(command.c_str()), 0) << name;
  }
  nlohmann::json broken = read_json("both.json");
  broken["runs"][0].erase("layers");
  write("broken.json", broken.dump());
  const std::string command = "python3 -c '" + script + "' '" + path("broken.json") +
                              "' '" GPUEVAL_SOURCE_DIR "/docs/result-schema.json' 2>/dev/null";
  EXPECT_NE(std::system(command.c_str()), 0) << "the schema accepts a result without layers";
}

TEST_F(Measure, TheDefaultSchemeCalibratesAtLengthOnlyForAccuracy) {
  ASSERT_EQ(run({"--model", "demo", "--mode", "speed", "--duration", "0.05", "--json", "speed.json"}).code, 0);
  EXPECT_EQ(read_json("speed.json")["runs"][1]["scheme"], "maxabs");
  ASSERT_EQ(run({"--model", "demo", "--mode", "accuracy", "--limit", "20", "--json", "accuracy.json"}).code, 0);
  EXPECT_EQ(read_json("accuracy.json")["runs"][1]["scheme"], "best");
}

TEST_F(Measure, RandomWeightsAndSyntheticImagesAreNamed) {
  const Outcome outcome = run({"--model", "mobilenet", "--alpha", "0.25", "--weights", "random", "--scheme", "maxabs",
                               "--duration", "0.05", "--json", "r.json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("Accuracy was not measured"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("Synthetic images were used for timing and calibration"), std::string::npos)
      << outcome.out;
  const nlohmann::json json = read_json("r.json");
  EXPECT_EQ(json["speed_input"], "synthetic");
  EXPECT_EQ(json["calibration"]["source"], "synthetic");
  EXPECT_TRUE(json["data"].is_null());
  EXPECT_EQ(json["model"]["alpha"], 0.25);
  EXPECT_EQ(json["model"]["seed"], 1);
}

TEST_F(Measure, AccuracyGate) {
  const std::vector<std::string> base{"--model", "demo", "--scheme", "maxabs", "--limit", "200", "--mode", "accuracy"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    return run(more);
  };
  const Outcome failed = with({"--reference", "1.0", "--json", "r.json"});
  EXPECT_EQ(failed.code, 3) << failed.err;
  EXPECT_NE(failed.out.find("Accuracy gate FAILED"), std::string::npos);
  EXPECT_EQ(read_json("r.json")["runs"].size(), 2u);
  EXPECT_EQ(with({"--reference", "1.0", "--threshold", "30"}).code, 0);
}

TEST_F(Measure, SavedLogitsHaveTheHashOfTheResult) {
  ASSERT_EQ(run({"--model", "demo", "--scheme", "maxabs", "--limit", "100", "--mode", "accuracy", "--save-logits",
                 "l.npy", "--json", "r.json"})
                .code,
            0);
  const std::string file = read("l.npy");
  ASSERT_EQ(file.size(), 128u + 100 * 10 * 4);
  Sha256 sum;
  sum.update(std::string_view(file).substr(128));
  EXPECT_EQ(sum.hex(), read_json("r.json")["runs"][1]["logits_sha256"]);
}

TEST_F(Measure, TableReproducesTheQuantizedNetwork) {
  ASSERT_EQ(run({"calibrate", "--model", "demo", "--calibration-table", "t.json"}).code, 0);
  const std::vector<std::string> base{"--model", "demo", "--limit", "100", "--mode", "accuracy", "--json"};
  const auto hash = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    EXPECT_EQ(run(more).code, 0);
    return read_json("r.json")["runs"][1]["logits_sha256"].get<std::string>();
  };
  const std::string observed = hash({"r.json"});
  EXPECT_EQ(hash({"r.json", "--calibration-table", "t.json"}), observed);
  EXPECT_EQ(read_json("r.json")["calibration"]["source"], "table");
  EXPECT_NE(hash({"r.json", "--calibration-images", "3"}), observed) << "the number of images should matter";
  EXPECT_EQ(hash({"r.json", "--calibration-table", "t.json", "--threads", "1", "--kernel", "portable"}), observed);
}

TEST_F(Measure, TableOfAnotherNetworkIsRefused) {
  ASSERT_EQ(run({"calibrate", "--model", "demo", "--scheme", "maxabs", "--calibration-table", "t.json"}).code, 0);
  expect_error({"--model", "squeezenet", "--weights", "random", "--calibration-table", "t.json", "--mode", "speed"}, 1,
               "model 'demo'");
  expect_error({"--model", "demo", "--weights", "random", "--calibration-table", "t.json", "--mode", "speed"}, 1,
               "weights");
  expect_error({"--model", "demo", "--activations", "s8", "--calibration-table", "t.json", "--mode", "speed"}, 1,
               "activations");
  for (int c = 0; c < 10; ++c) write(fmt::format("f/{}/1.jpg", c), "x");
  expect_error({"--model", "demo", "--data", "f", "--calibration-table", "t.json", "--mode", "accuracy"}, 1,
               "preprocessing");
}

TEST_F(Measure, KilledRunResumesToTheIdenticalResult) {
  const std::vector<std::string> args{"--model",  "demo",   "--scheme", "maxabs",        "--mode", "accuracy",
                                      "--resume", "--json", "r.json",   "--save-logits", "l.npy"};
  ASSERT_EQ(run(args).code, 0);
  const nlohmann::json expected = without_times(read_json("r.json"));
  const std::string logits = read("l.npy");
  EXPECT_EQ(journal_bytes(), 0u) << "a finished run leaves no journal";
  std::filesystem::remove(path("r.json"));
  std::filesystem::remove(path("l.npy"));

  const pid_t process = start(args);
  ASSERT_TRUE(wait_for([&] { return journal_bytes() > 20'000; }));
  kill(process, SIGKILL);
  ASSERT_EQ(wait(process).code, 128 + SIGKILL) << "the run was over before it could be killed";
  ASSERT_FALSE(std::filesystem::exists(path("r.json")));

  const Outcome resumed = run(args);
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_NE(resumed.out.find("of them in an earlier run"), std::string::npos) << resumed.out;
  EXPECT_EQ(without_times(read_json("r.json")), expected);
  EXPECT_EQ(read("l.npy"), logits);
}

TEST_F(Measure, InterruptedAccuracyPrintsWhatIsThere) {
  const pid_t process = start({"--model", "demo", "--scheme", "maxabs", "--json", "r.json"});
  ASSERT_TRUE(wait_for([&] { return journal_bytes() > 20'000; }));
  kill(process, SIGINT);
  const Outcome outcome = wait(process);
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  EXPECT_NE(outcome.out.find("Interrupted"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("--resume"), std::string::npos) << outcome.out;
  const nlohmann::json json = read_json("r.json");
  EXPECT_TRUE(json["interrupted"].get<bool>());
  EXPECT_LT(json["runs"][0]["accuracy"]["images"], 2000);
  EXPECT_GT(json["runs"][0]["accuracy"]["images"], 0);
  EXPECT_GT(journal_bytes(), 0u);
}

TEST_F(Measure, CompareOfTheSameImagesIsPaired) {
  ASSERT_EQ(run({"--model", "demo", "--limit", "300", "--mode", "accuracy", "--precision", "int8", "--scheme", "maxabs",
                 "--json", "a.json"})
                .code,
            0);
  ASSERT_EQ(run({"--model", "demo", "--limit", "300", "--mode", "accuracy", "--precision", "int8", "--scheme",
                 "reference", "--json", "b.json"})
                .code,
            0);
  ASSERT_EQ(run({"--model", "demo", "--limit", "200", "--mode", "accuracy", "--precision", "int8", "--scheme", "maxabs",
                 "--json", "c.json"})
                .code,
            0);
  const Outcome paired = run({"compare", "a.json", "b.json"});
  EXPECT_EQ(paired.code, 0) << paired.err;
  EXPECT_NE(paired.out.find("exact McNemar"), std::string::npos) << paired.out;
  const Outcome same = run({"compare", "a.json", "a.json"});
  EXPECT_NE(same.out.find("identical bit for bit"), std::string::npos) << same.out;
  const Outcome unpaired = run({"compare", "a.json", "c.json"});
  EXPECT_NE(unpaired.out.find("two-proportion z-test (unpaired"), std::string::npos) << unpaired.out;
}

}  // namespace
}  // namespace gpueval::test
