// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include "program.h"

namespace gpueval::test {
namespace {

class Usage : public ProgramTest {};

TEST_F(Usage, ErrorsNameTheOption) {
  struct Case {
    std::vector<std::string> args;
    std::string text;
  };
  const std::vector<Case> cases{
      {{}, "--model NAME is needed"},
      {{"--model", "lenet"}, "'lenet' is unknown: expected one of vgg16"},
      {{"--model", "mobilnet"}, "did you mean mobilenet?"},
      {{"--model", "mobilenet_0.3"}, "did you mean mobilenet_0.5?"},
      {{"calibrate", "--model", "demo", "--calibration-table", "t", "--html", "x"},
       "unknown option --html: `gpu_eval calibrate --help` lists what it has; gpu_eval, gpu_eval table"},
      {{"--model", "demo", "--scenery=server"}, "unknown option --scenery"},
      {{"--model", "demo", "--bacth", "8"}, "did you mean --batch?"},
      {{"tabel"}, "did you mean table?"},
      {{"--model", "demo", "--device", "cpu", "--no-cuda-graph"}, "--no-cuda-graph is for the devices cuda and emu"},
      {{"--model", "demo", "extra"}, "unexpected argument 'extra'"},
      {{"--model", "demo", "--precision", "bfloat16"},
       "--precision: expected float32, tf32, float16, int8, found 'bfloat16'"},
      {{"--model", "demo", "--precision", "float32,float16", "--device", "cpu"},
       "--precision float16: it needs a GPU (--device cuda), and the device is cpu"},
      {{"--model", "demo", "--precision", "tf32", "--device", "cpu"}, "--precision tf32: it needs a GPU"},
      {{"--model", "demo", "--precision", "tf32", "--device", "emu"}, "--precision tf32: it needs cuDNN on a GPU"},
      {{"sensitivity", "--model", "demo", "--precision", "float16,int8"}, "unknown option --precision"},
      {{"--model", "demo", "--precision", "int8,"}, "--precision: found '' in its list"},
      {{"--model", "demo", "--precision", "int8,int8"}, "--precision names int8 twice"},
      {{"--model", "demo", "--scheme", "kl"}, "--scheme: expected best, auto, maxabs"},
      {{"--model", "demo", "--scheme", "maxbas"}, "did you mean maxabs?"},
      {{"--model", "demo", "--scheme", "best,best"}, "--scheme names best twice"},
      {{"--model", "demo", "--device", "gpu"}, "--device gpu: this version has auto, cuda, cpu, emu"},
      {{"--model", "demo", "--kernel", "fast"}, "--kernel fast"},
      {{"--model", "demo", "--batch", "0"}, "--batch"},
      {{"--model", "demo", "--batch", "many"}, "--batch"},
      {{"--model", "demo", "--threads", "-1"}, "--threads"},
      {{"--model", "demo", "--mode", "fast"}, "--mode"},
      {{"--model", "demo", "--limit", "0"}, "--limit"},
      {{"--model", "demo", "--limit"}, "--limit"},
      {{"--model", "demo", "--percentiles", "50,x"},
       "--percentiles: expected a number above 0 and up to 100, found 'x'"},
      {{"--model", "demo", "--duration", "nan"}, "--duration: expected 0 or a number above, found 'nan'"},
      {{"--model", "demo", "--duration", "-1"}, "--duration"},
      {{"--model", "demo", "--data", "demo", "--labels", "x"}, "--labels contradicts the data demo"},
      {{"--model", "demo", "--percentiles", "0"}, "--percentiles: expected"},
      {{"--model", "demo", "--reference", "95"}, "--reference"},
      {{"--model", "demo", "--alpha", "0.5"}, "--alpha contradicts the network demo"},
      {{"--model", "mobilenet", "--alpha", "0.3"}, "--alpha 0.3: mobilenet has 1, 0.75, 0.5, 0.25"},
      {{"--model", "demo", "--depthwise", "float32"}, "--depthwise contradicts --scheme best"},
      {{"--model", "demo", "--scheme", "reference", "--calibration-images", "9"},
       "--calibration-images contradicts --scheme reference"},
      {{"--model", "demo", "--scheme", "reference", "--activations", "s8"},
       "--activations contradicts --scheme reference"},
      {{"--model", "demo", "--calibration-table", "t", "--calibration-images", "9"},
       "--calibration-images contradicts --calibration-table"},
      {{"--model", "demo", "--precision", "float32", "--scheme", "maxabs"}, "--scheme contradicts --precision float32"},
      {{"--model", "demo", "--mode", "speed", "--save-logits", "x.npy"}, "--save-logits contradicts --mode speed"},
      {{"--model", "demo", "--mode", "speed", "--resume"}, "--resume contradicts --mode speed"},
      {{"--model", "demo", "--mode", "accuracy", "--duration", "1"}, "--duration contradicts --mode accuracy"},
      {{"--model", "demo", "--threshold", "1"}, "--threshold needs --reference"},
      {{"--model", "demo", "--seed", "1"}, "--seed needs --weights random"},
      {{"--model", "demo", "--labels", "x"}, "--labels needs --data"},
      {{"--model", "demo", "--image", "x.jpg", "--json", "y"}, "--json contradicts --image"},
      {{"--model", "demo", "--image", "x.jpg", "--labels", "z"}, "the names of the classes are --class-names F"},
      {{"--model", "demo", "--calibration-images", "0"}, "--calibration-images: expected a number above 0, found '0'"},
      {{"--model", "demo", "--threshold", "-1"}, "--threshold: expected 0 or a number above, found '-1'"},
      {{"--model", "demo", "--calibration-images", "100000"}, "--calibration-images 100000: demo has"},
      {{"calibrate", "--model", "demo"}, "calibrate needs --calibration-table"},
      {{"calibrate", "--model", "demo", "--calibration-table", "t", "--mode", "speed"}, "unknown option --mode"},
      {{"calibrate", "--model", "demo", "--calibration-table", "t", "--scheme", "reference"}, "--scheme reference"},
      {{"--model", "demo", "--gptq", "--precision", "float32"}, "--gptq contradicts --precision float32"},
      {{"--model", "demo", "--no-flips", "--scheme", "reference"}, "--no-flips contradicts --scheme reference"},
      {{"--model", "demo", "--scheme", "auto", "--gptq"}, "--gptq contradicts --scheme auto"},
      {{"--model", "demo", "--scheme", "auto", "--calibration-table", "t"},
       "--calibration-table contradicts --scheme auto"},
      {{"--model", "demo", "--scheme", "auto", "--calibration-images", "3"}, "needs at least 4 calibration images"},
      {{"--model", "demo", "--gptq", "--no-gptq"}, "--gptq contradicts --no-gptq"},
      {{"--model", "demo", "--scheme", "mse", "--asymmetric"}, "--asymmetric needs gptq"},
      {{"--model", "demo", "--no-gptq", "--asymmetric"}, "--asymmetric needs gptq"},
      {{"--model", "demo", "--no-bias-correction", "--bias-after-activation"},
       "--bias-after-activation needs bias-correction"},
      {{"--model", "demo", "--calibration-percentile", "99"}, "--calibration-percentile contradicts --scheme best"},
      {{"--model", "demo", "--scheme", "percentile", "--calibration-percentile", "101"}, "--calibration-percentile"},
      {{"--model", "demo", "--scheme", "reference", "--float-layers", "conv1"},
       "--float-layers contradicts --scheme reference"},
      {{"--model", "demo", "--target-loss", "1"},
       "unknown option --target-loss: `gpu_eval --help` lists what it has; gpu_eval sensitivity has it"},
      {{"--model", "demo", "--markdown", "x"},
       "unknown option --markdown: `gpu_eval --help` lists what it has; gpu_eval table has it"},
      {{"--model", "demo", "--normalize", "imagenet"},
       "--normalize: unknown normalization 'imagenet': expected none, tf"},
      {{"--model", "demo", "--normalize", "mean=0,0,0:std=1,0,1"}, "std must be at least 1"},
      {{"--model", "demo", "--fit", "stretch"}, "--fit: expected crop, squash, pad, pad-centre, found 'stretch'"},
      {{"--model", "demo", "--resize", "bicubc"}, "did you mean bicubic?"},
      {{"--model", "demo", "--input-size", "0"}, "--input-size: input size '0': expected HEIGHTxWIDTH"},
      {{"--model", "demo", "--preprocess", "original", "--fit", "pad"}, "original preprocessing has a fit"},
      {{"--model", "vgg16", "--weights", "random", "--mode", "speed", "--input-size", "192"}, "vgg16"},
      {{"--model", "demo", "--scenario", "multi"}, "--scenario"},
      {{"--model", "demo", "--scenario", "offline", "--mode", "accuracy"}, "--scenario contradicts --mode accuracy"},
      {{"--model", "demo", "--scenario", "single-stream", "--batch", "4"}, "--batch 4 contradicts --scenario"},
      {{"--model", "demo", "--latency-bound", "3"}, "--latency-bound contradicts every scenario but server"},
      {{"--model", "demo", "--scenario", "server", "--latency-bound", "0"}, "--latency-bound"},
      {{"table", "--scenario", "server"}, "unknown option --scenario"},
      {{"sensitivity", "--model", "demo", "--scheme", "reference"}, "sensitivity contradicts --scheme reference"},
      {{"sensitivity", "--model", "demo", "--duration", "1"},
       "--duration contradicts sensitivity without --target-loss"},
      {{"table", "--scheme", "best"}, "unknown option --scheme"},
      {{"table", "--model", "demo", "--gptq"}, "unknown option --gptq"},
      {{"table", "--weights", "x.h5"}, "--weights contradicts table without --model"},
      {{"table", "--model", "demo", "--mode", "speed"}, "--mode: expected accuracy, both, found 'speed'"},
      {{"table", "--model", "demo", "--alpha", "0.5"}, "--alpha contradicts the network demo"},
      {{"list", "colours"}, "list: expected models, layers, kernels, calibrators or devices"},
      {{"list", "model"}, "did you mean models?"},
      {{"--model", "demo", "list", "models"}, "--model contradicts list"},
      {{"list"}, "list: expected models, layers, kernels, calibrators or devices"},
      {{"compare"}, "compare: expected two result files"},
      {{"compare", "a.json"}, "compare: expected two result files"},
  };
  for (const Case& c : cases) expect_error(c.args, 2, c.text);
}

TEST_F(Usage, EachHelpHasItsOwnOptionsInAHundredColumns) {
  struct Case {
    std::vector<std::string> args, has, lacks;
  };
  const std::vector<Case> cases{
      {{"--help"},
       {"--model", "--scheme", "--calibration-table", "--save-logits", "--resume", "Exit codes", "--gptq", "--no-NAME",
        "sensitivity", "table", "milliseconds", "(default 3)"},
       {"--onnx", "--target-loss", "--markdown", "--no-gptq", "--worker"}},
      {{"calibrate", "--help"}, {"--model", "--calibration-table", "--gptq"}, {"--json", "--duration", "--limit"}},
      {{"table", "--help"}, {"--markdown", "--limit"}, {"--scheme", "--gptq", "--save-logits", "--scenario"}},
      {{"sensitivity", "--help"}, {"--target-loss", "--html"}, {"--float-layers", "--resume", "--precision"}},
      {{"export", "--help"}, {"--onnx", "--precision"}, {"--json", "--duration", "--mode "}},
      {{"list", "--help"}, {"models, layers, kernels, calibrators or devices"}, {"--model", "--json"}},
      {{"compare", "--help"}, {"A.json B.json"}, {"--model", "--json "}},
      {{"selftest", "--help"}, {"--kernels", "--json"}, {"--model", "--worker"}}};
  for (const Case& c : cases) {
    const Outcome help = run(c.args);
    EXPECT_EQ(help.code, 0);
    EXPECT_NE(help.out.find("\n  gpu_eval "), std::string::npos) << "examples of " << c.args.front();
    for (const std::string& text : c.has) EXPECT_NE(help.out.find(text), std::string::npos) << c.args.front() << text;
    for (const std::string& text : c.lacks) EXPECT_EQ(help.out.find(text), std::string::npos) << c.args.front() << text;
    std::istringstream lines(help.out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
  }
}

TEST_F(Usage, Version) {
  const Outcome version = run({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_TRUE(version.out.starts_with("gpu_eval ")) << version.out;
}

TEST_F(Usage, ListsOfValues) {
  const Outcome outcome =
      run({"--model", "demo", "--scheme", "maxabs,mse", "--batch", "1,3", "--limit", "40", "--calibration-images", "8",
           "--duration", "0.01", "--warm-up", "0", "--iterations", "2", "--json", "r.json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  std::vector<std::string> rows;
  const nlohmann::json result = read_json("r.json");
  for (const nlohmann::json& run : result["runs"]) {
    rows.push_back(run["precision"].get<std::string>() + " " +
                   (run["scheme"].is_null() ? "" : run["scheme"].get<std::string>()) + " " +
                   run["speed"]["batch"].dump());
  }
  EXPECT_EQ(rows, (std::vector<std::string>{"float32  1", "int8 maxabs 1", "int8 mse 1", "float32  3", "int8 maxabs 3",
                                            "int8 mse 3"}));
  EXPECT_NE(outcome.out.find("times the images/s of float32 b3"), std::string::npos) << outcome.out;
  const Outcome compared = run({"compare", "r.json", "r.json"});
  EXPECT_EQ(compared.code, 0) << compared.err;
  EXPECT_NE(compared.out.find("int8 mse b3"), std::string::npos) << compared.out;
}

TEST_F(Usage, PreprocessingIsChosenAndNamed) {
  const auto preprocessing = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"--model", "demo", "--mode", "accuracy", "--precision", "float32", "--limit", "20",
                               "--json", "r.json"});
    const Outcome outcome = run(more);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const nlohmann::json json = read_json("r.json");
    return std::pair(json["data"]["preprocessing"].get<std::string>(),
                     json["runs"][0]["logits_sha256"].get<std::string>());
  };
  const auto usual = preprocessing({});
  EXPECT_EQ(usual.first, "demo96_tf");
  const auto same = preprocessing({"--normalize", "tf", "--fit", "squash", "--resize", "bilinear"});
  EXPECT_EQ(same, usual) << "the defaults, typed";
  const auto torch = preprocessing({"--normalize", "torch"});
  EXPECT_EQ(torch.first, "demo96_torch");
  EXPECT_NE(torch.second, usual.second);
  EXPECT_EQ(preprocessing({"--input-size", "64x80", "--fit", "pad"}).first, "demo96_bilinear_pad64x80_tf");
}

// What belongs to another task is refused, not passed over.
TEST_F(Usage, OptionsOfAnotherTask) {
  const std::vector<std::string> demo{"--model", "demo", "--mode", "accuracy", "--precision", "float32"};
  for (const auto& [option, value] :
       std::vector<std::pair<std::string, std::string>>{{"--split", "val"},
                                                        {"--calibration-split", "val"},
                                                        {"--score-threshold", "0.5"},
                                                        {"--nms-threshold", "0.5"},
                                                        {"--save-detections", path("d.json")},
                                                        {"--map-classes", "1:0"},
                                                        {"--upsample", "aligned"},
                                                        {"--save-masks", path("masks")}}) {
    std::vector<std::string> args = demo;
    args.insert(args.end(), {option, value});
    expect_error(args, 2, option + ": it belongs to ");
  }
  expect_error({"--model", "demo-detection", "--split", "val"}, 2, "--split: the pictures of the demo are drawn");
  expect_error({"--model", "demo-segmentation", "--save-detections", path("d.json")}, 2, "belongs to detection");
}

TEST_F(Usage, SeveralNetworks) {
  const Outcome outcome =
      run({"--model", "demo,mobilenet_0.25", "--weights", "random", "--mode", "speed", "--calibration-images", "1",
           "--duration", "0.01", "--warm-up", "0", "--iterations", "2", "--json", "r.json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const nlohmann::json result = read_json("r.json");
  ASSERT_EQ(result["networks"].size(), 2u);
  EXPECT_EQ(result["networks"][1]["result"]["model"]["alpha"], 0.25);
}

TEST_F(Usage, Lists) {
  const std::string models = run({"list", "models"}).out;
  for (const char* text : {"138,357,544", "25,636,712", "23,851,784", "22,910,480", "4,253,864", "2,601,976",
                           "1,342,536", "475,544", "1,235,496", "mobilenet_2_5_224_tf.h5"}) {
    EXPECT_NE(models.find(text), std::string::npos) << text << "\n" << models;
  }
  EXPECT_NE(run({"list", "kernels"}).out.find("conv_s8_portable"), std::string::npos);
  EXPECT_NE(run({"list", "calibrators"}).out.find("reference"), std::string::npos);
  EXPECT_NE(run({"list", "devices"}).out.find("cpu"), std::string::npos);
}

}  // namespace
}  // namespace gpueval::test
