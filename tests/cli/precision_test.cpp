// SPDX-License-Identifier: Apache-2.0
// The precisions of a GPU, on the emulated one.
#include <set>

#include "program.h"

namespace gpueval::test {
namespace {

class Precision : public ProgramTest {
 protected:
  nlohmann::json measure(const std::string& mode, const std::vector<std::string>& more) {
    std::vector<std::string> args{"--model",         "demo",   "--device", "emu",    "--precision",
                                  "float32,float16", "--mode", mode,       "--json", "r.json"};
    args.insert(args.end(), more.begin(), more.end());
    const Outcome outcome = run(args);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return read_json("r.json")["runs"];
  }
  static std::set<std::string> kernels(const nlohmann::json& run) {
    std::set<std::string> names;
    for (const nlohmann::json& layer : run["layers"]) names.insert(layer["kernel"].get<std::string>());
    return names;
  }
};

TEST_F(Precision, Float16IsAnotherNetworkThatAgrees) {
  const nlohmann::json runs = measure("accuracy", {"--limit", "20"});
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0]["precision"], "float32");
  EXPECT_EQ(runs[1]["precision"], "float16");
  EXPECT_NE(runs[0]["logits_sha256"], runs[1]["logits_sha256"]);
  EXPECT_GE(runs[1]["vs_first"]["agreement"].get<double>(), 0.95);
}

TEST_F(Precision, LayersNameTheKernelsOfTheirPrecision) {
  const nlohmann::json runs = measure("speed", {"--warm-up", "0", "--duration", "0", "--iterations", "1"});
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_TRUE(kernels(runs[0]).contains("conv_f32")) << runs[0]["layers"].dump();
  EXPECT_TRUE(kernels(runs[0]).contains("depthwise_f32"));
  EXPECT_TRUE(kernels(runs[1]).contains("conv_f16")) << runs[1]["layers"].dump();
  EXPECT_TRUE(kernels(runs[1]).contains("depthwise_f16"));
  EXPECT_FALSE(kernels(runs[1]).contains("conv_f32"));
}

}  // namespace
}  // namespace gpueval::test
