// SPDX-License-Identifier: Apache-2.0
// The devices cuda and emu as the command line has them.
#include <set>

#include "cuda/runtime/runtime.h"
#include "program.h"

namespace gpueval::test {
namespace {

class Device : public ProgramTest {
 protected:
  nlohmann::json measure(std::vector<std::string> more) {
    std::vector<std::string> args{"--model", "demo",     "--precision", "int8", "--scheme", "maxabs",
                                  "--mode",  "accuracy", "--limit",     "20",   "--json",   "r.json"};
    args.insert(args.end(), more.begin(), more.end());
    const Outcome outcome = run(args);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return read_json("r.json");
  }
  void expect_usage_error(const std::vector<std::string>& args, const std::string& text) {
    const Outcome outcome = run(args);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome.err;
  }
};

TEST_F(Device, EmuGivesTheCpusLogits) {
  const nlohmann::json cpu = measure({"--device", "cpu"});
  const nlohmann::json emu = measure({"--device", "emu"});
  EXPECT_EQ(emu["runs"][0]["logits_sha256"], cpu["runs"][0]["logits_sha256"]);
  EXPECT_EQ(emu["runs"][0]["device"], "emu");
  const nlohmann::json plain = measure({"--device", "emu", "--no-cuda-graph", "--kernel", "naive"});
  EXPECT_EQ(plain["runs"][0]["logits_sha256"], cpu["runs"][0]["logits_sha256"]);
}

TEST_F(Device, LayersNameTheForcedKernel) {
  const Outcome outcome = run(
      {"--model",    "demo", "--precision",  "int8", "--scheme", "maxabs", "--mode",   "speed", "--warm-up", "0",
       "--duration", "0",    "--iterations", "1",    "--device", "emu",    "--kernel", "naive", "--json",    "r.json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  bool found = false;
  const nlohmann::json json = read_json("r.json");
  for (const nlohmann::json& layer : json["runs"][0]["layers"]) found |= layer["kernel"] == "conv_s8_naive";
  EXPECT_TRUE(found) << json["runs"][0]["layers"].dump();
}

TEST_F(Device, EmulatedTimesAreNoSpeed) {
  const Outcome outcome =
      run({"--model", "demo", "--scheme", "maxabs", "--mode", "speed", "--warm-up", "0", "--duration", "0",
           "--iterations", "1", "--device", "emu", "--per-layer", "--json", "r.json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("Speed: emulated: times say nothing about a GPU."), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("Layers of int8 maxabs, batch 1; emulated"), std::string::npos) << outcome.out;
  for (const char* claim : {"times the", "VALID", "NOISY", "Roofs", "between rounds", "ms together"})
    EXPECT_EQ(outcome.out.find(claim), std::string::npos) << claim << '\n' << outcome.out;
  const nlohmann::json json = read_json("r.json");
  EXPECT_TRUE(json["verdict"].is_null());
  EXPECT_TRUE(json["roofs"].is_null());
  for (const nlohmann::json& run : json["runs"]) {
    EXPECT_EQ(run["speed"]["emulated"], true);
    EXPECT_FALSE(run["speed"].contains("vs_first"));
    EXPECT_TRUE(run["layers"][0]["ms"].is_null());
  }
}

TEST_F(Device, PreprocessesWithTheSameBits) {
  const nlohmann::json host = measure({"--device", "emu"});
  const nlohmann::json device = measure({"--device", "emu", "--preprocess-on", "device"});
  EXPECT_EQ(device["runs"][0]["logits_sha256"], host["runs"][0]["logits_sha256"]);
  EXPECT_EQ(device["data"]["preprocessing"], host["data"]["preprocessing"]);
  EXPECT_EQ(host["data"]["preprocessed_on"], "host");
  EXPECT_EQ(device["data"]["preprocessed_on"], "device");
  expect_usage_error({"--model", "demo", "--device", "cpu", "--preprocess-on", "device"}, "cuda and emu, not cpu");
  expect_usage_error({"--model", "demo", "--device", "emu", "--mode", "speed", "--preprocess-on", "device"},
                     "--preprocess-on contradicts --mode speed");
}

TEST_F(Device, TakesPicturesAsBytesOrFloats) {
  const nlohmann::json floats = measure({"--device", "emu", "--input-as", "float32"});
  const nlohmann::json bytes = measure({"--device", "emu"});
  EXPECT_EQ(bytes["runs"][0]["logits_sha256"], floats["runs"][0]["logits_sha256"]);
  expect_usage_error({"--model", "demo", "--device", "cpu", "--input-as", "float32"}, "cuda and emu, not cpu");
}

TEST_F(Device, CopiesHaveALineOfTheirOwn) {
  const std::vector<std::string> args{"--model",      "demo",  "--precision", "int8", "--scheme",   "maxabs",
                                      "--mode",       "speed", "--warm-up",   "0",    "--duration", "0",
                                      "--iterations", "1",     "--device",    "emu",  "--json",     "r.json"};
  for (const bool included : {false, true}) {
    std::vector<std::string> all = args;
    if (included) all.push_back("--include-data-transfers");
    const Outcome outcome = run(all);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("int8 maxabs: to the device "), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find(included ? "latency with copies." : "latency without copies."), std::string::npos)
        << outcome.out;
    const nlohmann::json speed = read_json("r.json")["runs"][0]["speed"];
    EXPECT_EQ(speed["includes_transfers"], included);
    for (const char* part : {"to_device", "compute", "to_host"}) EXPECT_GT(speed["device_ms"][part], 0) << part;
  }
  expect_usage_error({"--model", "demo", "--device", "cpu", "--include-data-transfers"},
                     "--include-data-transfers is for the devices cuda and emu, not cpu");
  expect_usage_error({"--model", "demo", "--device", "emu", "--mode", "accuracy", "--include-data-transfers"},
                     "--include-data-transfers contradicts --mode accuracy");
}

TEST_F(Device, ListsHaveBoth) {
  const std::string list = run({"list", "devices"}).out;
  EXPECT_NE(list.find("cuda"), std::string::npos) << list;
  EXPECT_NE(list.find("emu"), std::string::npos) << list;
  EXPECT_LT(list.find("cuda"), list.find("cpu"));
  EXPECT_LT(list.find("cpu"), list.find("emu"));
  const std::string rows = run({"list", "kernels"}).out;
  EXPECT_NE(rows.find("conv_s8_naive"), std::string::npos) << rows;
}

TEST_F(Device, FloatKernelsCanBeForced) {
  for (const std::string kernel : {"conv_f32_avx512", "winograd_f32_avx512", "oneDNN"}) {
    const Outcome outcome = run({"--model",    "squeezenet", "--weights",    "random", "--precision", "float32,int8",
                                 "--scheme",   "maxabs",     "--mode",       "speed",  "--warm-up",   "0",
                                 "--duration", "0",          "--iterations", "1",      "--device",    "cpu",
                                 "--kernel",   kernel,       "--json",       "r.json"});
    if (outcome.code != 0) {  // on a machine without AVX-512
      EXPECT_NE(outcome.err.find("needs AVX-512"), std::string::npos) << outcome.err;
      EXPECT_NE(kernel, "oneDNN");
      continue;
    }
    std::set<std::string> of_float;
    const nlohmann::json json = read_json("r.json");
    for (const nlohmann::json& layer : json["runs"][0]["layers"]) {
      const std::string name = layer["kernel"];
      if (name.find("f32") != std::string::npos || name.find(kernel) != std::string::npos) {
        of_float.insert(name.substr(0, kernel.size()));
      }
    }
    EXPECT_TRUE(of_float.contains(kernel)) << json["runs"][0]["layers"].dump();
    if (kernel == "oneDNN") {
      EXPECT_EQ(of_float.size(), 1u) << "another float32 kernel ran";
    }
    EXPECT_EQ(json["runs"][1]["precision"], "int8");
  }
}

TEST_F(Device, AnUnknownKernelListsTheDevices) {
  expect_usage_error({"--model", "demo", "--device", "emu", "--kernel", "wgmma9"}, "conv_s8_naive");
  expect_usage_error({"--model", "demo", "--device", "cpu", "--kernel", "conv_s8_naive"}, "conv_s8_portable");
}

TEST_F(Device, AMissingGpuIsNoUsableDevice) {
  std::string why;
  if (cuda::gpu_count(&why) > 0) GTEST_SKIP() << "there is a GPU";
  const Outcome outcome = run({"--model", "demo", "--device", "cuda"});
  EXPECT_EQ(outcome.code, 5) << outcome.err;
  EXPECT_NE(outcome.err.find(why), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("cuda"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace gpueval::test
