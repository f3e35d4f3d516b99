// SPDX-License-Identifier: Apache-2.0
// Schemes, corrections, tables that carry them, --scheme auto, sensitivity, mixed precision, the table of networks:
// the demo measured from end to end.
#include <algorithm>
#include <cstdlib>
#include <set>

#include "gpueval/recipe.h"
#include "program.h"

namespace gpueval::test {
namespace {

class Recipe : public ProgramTest {
 protected:
  // The int8 run of a short accuracy measurement of the demo; few calibration images keep it fast.
  nlohmann::json int8(const std::vector<std::string>& more) {
    std::vector<std::string> args{"--model", "demo", "--mode", "accuracy", "--limit", "100", "--json", "r.json"};
    args.insert(args.end(), more.begin(), more.end());
    const Outcome outcome = run(args);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return read_json("r.json")["runs"][1];
  }
  static constexpr const char* kFew[] = {"--calibration-images", "16"};
  static std::vector<std::string> few(std::vector<std::string> args) {
    args.insert(args.end(), std::begin(kFew), std::end(kFew));
    return args;
  }
  // Against the schema of its kind.
  void expect_valid(const std::string& name, bool valid = true) const {
    if (std::system("python3 -c 'import jsonschema' 2>/dev/null") != 0) return;
    const std::string command = "python3 '" GPUEVAL_SOURCE_DIR "/scripts/validate_result.py' '" + path(name) + "'";
    EXPECT_EQ(std::system((command + (valid ? "" : " >/dev/null")).c_str()) == 0, valid) << name;
  }
};

TEST_F(Recipe, EverySchemeIsNamedInTheResult) {
  for (const std::string scheme : {"maxabs", "percentile", "entropy", "mse", "best"}) {
    const nlohmann::json run = int8(few({"--scheme", scheme}));
    EXPECT_EQ(run["scheme"], scheme);
    const nlohmann::json& quantization = run["quantization"];
    EXPECT_EQ(quantization["scheme"], scheme);
    EXPECT_EQ(quantization["calibration_images"], 16);
    EXPECT_EQ(quantization["percentile"].is_null(), scheme != "percentile");
    EXPECT_EQ(quantization["corrections"].empty(), scheme != "best") << quantization;
    EXPECT_GT(run["vs_first"]["agreement"], 0.9) << scheme;
    expect_valid("r.json");
  }
}

TEST_F(Recipe, EverySwitchChangesTheNetworkAndIsReported) {
  const std::string plain = int8(few({"--scheme", "maxabs"}))["logits_sha256"];
  for (const std::string name : {"bias-correction", "channel-scales", "clip-search", "gptq"}) {
    const nlohmann::json run = int8(few({"--scheme", "maxabs", "--" + name}));
    EXPECT_EQ(run["quantization"]["corrections"], nlohmann::json::array({name}));
    EXPECT_NE(run["logits_sha256"], plain) << name;
  }
  const nlohmann::json best = int8(few({}));
  const Corrections usual = default_corrections(Scheme::kBest);
  for (const CorrectionSwitch& row : correction_switches()) {
    const bool on = usual.*row.member;
    const nlohmann::json run = int8(few({std::string(on ? "--no-" : "--") + row.name}));
    const auto& names = run["quantization"]["corrections"];
    EXPECT_EQ(std::find(names.begin(), names.end(), row.name) == names.end(), on) << row.name;
    EXPECT_NE(run["logits_sha256"], best["logits_sha256"]) << row.name;
  }
}

TEST_F(Recipe, PercentileIsReportedAndMatters) {
  const nlohmann::json low = int8(few({"--scheme", "percentile", "--calibration-percentile", "95"}));
  EXPECT_EQ(low["quantization"]["percentile"], 95);
  EXPECT_NE(low["logits_sha256"], int8(few({"--scheme", "percentile"}))["logits_sha256"]);
}

TEST_F(Recipe, TableCarriesTheRecipe) {
  const std::vector<std::string> recipe{"--scheme", "percentile", "--calibration-percentile", "99.9",
                                        "--bias-correction"};
  std::vector<std::string> calibrate{"calibrate", "--model", "demo", "--calibration-table", "t.json"};
  calibrate.insert(calibrate.end(), recipe.begin(), recipe.end());
  ASSERT_EQ(run(few(calibrate)).code, 0);
  const nlohmann::json found = int8(few(recipe)), read = int8({"--calibration-table", "t.json"});
  EXPECT_EQ(read["logits_sha256"], found["logits_sha256"]);
  EXPECT_EQ(read["quantization"], found["quantization"]) << "the scheme, not typed, is the table's";
  expect_error({"--model", "demo", "--mode", "speed", "--calibration-table", "t.json", "--scheme", "best"}, 1,
               "scheme");
  expect_error({"--model", "demo", "--mode", "speed", "--calibration-table", "t.json", "--gptq"}, 1, "scheme");
}

TEST_F(Recipe, TableOfBestReproducesTheCorrectedNetwork) {
  ASSERT_EQ(run(few({"calibrate", "--model", "demo", "--calibration-table", "t.json"})).code, 0);
  const nlohmann::json found = int8(few({})), read = int8({"--calibration-table", "t.json"});
  EXPECT_EQ(read["logits_sha256"], found["logits_sha256"]);
  EXPECT_EQ(read["quantization"], found["quantization"]);
  EXPECT_GE(read["quantization"]["corrections"].size(), 4u);
  const nlohmann::json portable = int8({"--calibration-table", "t.json", "--kernel", "portable", "--threads", "1"});
  EXPECT_EQ(portable["logits_sha256"], found["logits_sha256"]);
}

TEST_F(Recipe, AutoMeasuresAndPicksOnCalibrationImages) {
  const nlohmann::json run = int8(few({"--scheme", "auto"}));
  expect_valid("r.json");
  const nlohmann::json trials = read_json("r.json")["scheme_trials"];
  ASSERT_GT(trials.size(), 3u);
  double best = -1e9, picked = 0;
  for (const nlohmann::json& trial : trials) {
    EXPECT_EQ(trial["calibration_images"], 12);
    EXPECT_EQ(trial["measured_images"], 4);
    best = std::max(best, trial["logits_sqnr_db"].get<double>());
    if (trial["picked"]) picked = trial["logits_sqnr_db"];
  }
  EXPECT_EQ(picked, best);
  EXPECT_NE(run["quantization"]["scheme"], "auto");
  EXPECT_EQ(run["quantization"]["calibration_images"], 16) << "the winner is calibrated on all of them";
}

TEST_F(Recipe, PerLayerErrors) {
  const nlohmann::json run = int8({"--scheme", "maxabs", "--per-layer", "--html", "r.html"});
  expect_valid("r.json");
  std::size_t measured = 0;
  for (const nlohmann::json& layer : run["layers"]) {
    if (!layer.contains("sqnr_db")) continue;
    ++measured;
    EXPECT_GT(layer["sqnr_db"], 15) << layer;
    EXPECT_GT(layer["cosine"], 0.98) << layer;
    if (layer["range_used"].is_null()) continue;
    EXPECT_GT(layer["range_used"], 0.3) << layer;
    EXPECT_LE(layer["range_used"], 1.0) << layer;
    EXPECT_LT(layer["saturation"], 0.1) << layer;
  }
  EXPECT_GE(measured, 14u) << "every convolution of the demo";
  EXPECT_NE(read("r.html").find("Error layer by layer"), std::string::npos);
}

TEST_F(Recipe, FloatLayersAreLeftAlone) {
  const nlohmann::json mixed = int8({"--scheme", "maxabs", "--float-layers", "conv1,conv_dw_1"});
  EXPECT_EQ(mixed["quantization"]["float_layers"], nlohmann::json::array({"conv1", "conv_dw_1"}));
  EXPECT_NE(mixed["logits_sha256"], int8({"--scheme", "maxabs"})["logits_sha256"]);
  expect_error({"--model", "demo", "--mode", "speed", "--scheme", "maxabs", "--float-layers", "none"}, 1, "'none'");
}

TEST_F(Recipe, SensitivityRanksEveryLayer) {
  const Outcome outcome =
      run({"sensitivity", "--model", "demo", "--scheme", "maxabs", "--choosing-images", "60", "--limit", "40", "--json",
           "s.json", "--html", "s.html", "--target-loss", "0", "--duration", "0.05"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const nlohmann::json json = read_json("s.json");
  EXPECT_EQ(json["kind"], "sensitivity");
  EXPECT_EQ(json["data"]["images"], 60);
  ASSERT_EQ(json["layers"].size(), 14u);
  for (const nlohmann::json& layer : json["layers"]) {
    EXPECT_GT(layer["alone"]["logits_sqnr_db"], json["all_int8"]["logits_sqnr_db"]) << layer["name"];
    EXPECT_NE(outcome.out.find(layer["name"]), std::string::npos);
  }
  const nlohmann::json& mixed = json["mixed"];
  EXPECT_LE(mixed["choosing"]["loss_points"], 0);
  const std::set<int> chose = json["data"]["indices"], judged = mixed["judged"]["indices"];
  EXPECT_EQ(chose.size(), 60u);
  EXPECT_EQ(judged.size(), 40u);
  for (const int image : judged) EXPECT_FALSE(chose.contains(image)) << "image " << image << " chose, too";
  EXPECT_EQ(json["data"]["first"], *chose.begin());
  EXPECT_GT(*chose.rbegin(), 1800) << "spread over the 2,000 images";
  EXPECT_EQ(mixed["judged"]["images"], 40);
  EXPECT_TRUE(mixed["loss_points"].is_number());
  EXPECT_GE(mixed["speed"].size(), 2u);
  EXPECT_NE(outcome.out.find("Judged on 40 other images"), std::string::npos) << outcome.out;
  EXPECT_NE(read("s.html").find("</html>"), std::string::npos);
  expect_valid("s.json");
  nlohmann::json broken = json;
  broken["mixed"]["choosing"]["result"].erase("agreement");
  write("broken.json", broken.dump());
  expect_valid("broken.json", false);
  broken = json;
  broken["host"].erase("cores");  // of the result's schema
  write("broken.json", broken.dump());
  expect_valid("broken.json", false);
}

TEST_F(Recipe, ChoosingImagesAreNotJudged) {
  const std::vector<std::string> demo{"sensitivity", "--model", "demo", "--scheme", "maxabs", "--mode", "accuracy"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), demo.begin(), demo.end());
    return more;
  };
  expect_error(with({"--choosing-images", "60"}), 2, "--target-loss");
  expect_error(with({"--choosing-images", "100000", "--target-loss", "1"}), 1, "100000");
  expect_error({"--model", "demo", "--choosing-images", "60"}, 2, "--choosing-images");
}

TEST_F(Recipe, TableOfTheDemo) {
  const Outcome outcome = run(few({"table", "--model", "demo", "--limit", "60", "--duration", "0.05", "--json",
                                   "t.json", "--html", "t.html", "--markdown", "t.md"}));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const nlohmann::json json = read_json("t.json");
  EXPECT_EQ(json["kind"], "table");
  ASSERT_EQ(json["networks"].size(), 1u);
  const nlohmann::json& runs = json["networks"][0]["result"]["runs"];
  ASSERT_EQ(runs.size(), 5u) << "float32, reference twice (it has depthwise layers), maxabs, best";
  EXPECT_EQ(runs[2]["depthwise"], "float32");
  EXPECT_EQ(runs[4]["scheme"], "best");
  for (const nlohmann::json& row : runs) {
    EXPECT_EQ(row["accuracy"]["images"], 60);
    EXPECT_GT(row["speed"]["images_per_second"], 0);
  }
  expect_valid("t.json");
  EXPECT_TRUE(json["networks"][0]["published"].is_null()) << "the demo is our own";
  nlohmann::json broken = json;
  broken["networks"][0]["result"]["runs"][0].erase("layers");
  write("broken.json", broken.dump());
  expect_valid("broken.json", false);
  EXPECT_NE(read("t.md").find("| int8 reference-pw |"), std::string::npos) << read("t.md");
  EXPECT_NE(read("t.html").find("Accuracy against speed"), std::string::npos);
}

TEST_F(Recipe, TableWithoutFilesSaysSo) {
  expect_error({"table", "--mode", "accuracy"}, 1, "none of the weight files");
}

TEST_F(Recipe, AnalyticBiasTakesThePlaceOfTheEmpiricalOne) {
  const nlohmann::json run = int8(few({"--analytic-bias"}));
  const nlohmann::json& names = run["quantization"]["corrections"];
  EXPECT_EQ(std::count(names.begin(), names.end(), "analytic-bias"), 1);
  EXPECT_EQ(std::count(names.begin(), names.end(), "bias-correction"), 0);
  EXPECT_EQ(std::count(names.begin(), names.end(), "bias-after-activation"), 0);
  expect_error({"--model", "demo", "--analytic-bias", "--bias-correction"}, 2, "--analytic-bias");
  expect_error({"--model", "squeezenet", "--weights", "random", "--mode", "speed", "--scheme", "maxabs",
                "--calibration-images", "1", "--analytic-bias"},
               2, "batch norm");
}

}  // namespace
}  // namespace gpueval::test
