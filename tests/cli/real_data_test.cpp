// SPDX-License-Identifier: Apache-2.0
// The two networks with published weights on 500 photographs: accuracies of an independent engine (PyTorch), which the
// README of the data lists.
#include <cstdlib>

#include "program.h"

namespace gpueval::test {
namespace {

constexpr const char* kMobileNet = "weights/mobilenet_2_5_224_tf.h5";
constexpr const char* kSqueezeNet = "weights/squeezenet_weights_tf_dim_ordering_tf_kernels.h5";

class RealData : public ProgramTest {
 protected:
  RealData() {
    const char* folder = std::getenv("GPUEVAL_DATA");
    data_ = std::filesystem::absolute(folder != nullptr ? folder : GPUEVAL_DEFAULT_DATA).string();
  }
  // Empty, or the name of what is missing.
  std::string missing(const std::string& weights) const {
    for (const std::string& name : {weights, std::string("imagenet/val224_sample.pkl")}) {
      if (!std::filesystem::exists(data_ + "/" + name)) return data_ + "/" + name;
    }
    return "";
  }
  nlohmann::json runs(std::vector<std::string> args) {
    args.insert(args.end(), {"--mode", "accuracy", "--json", "r.json"});
    const Outcome outcome = run(args);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return read_json("r.json")["runs"];
  }
  // Images of 500 that differ from the fraction in the table.
  static void expect_near(const nlohmann::json& run, double top1, double top5, int images) {
    EXPECT_EQ(run["accuracy"]["images"], 500);
    EXPECT_NEAR(run["accuracy"]["top1_count"].get<int>(), top1 * 500, images + 0.5) << run["precision"];
    EXPECT_NEAR(run["accuracy"]["top5_count"].get<int>(), top5 * 500, images + 0.5) << run["precision"];
  }
};

// A file of another width or network says which it is.
TEST_F(RealData, AFileOfAnotherWidthOrNetworkIsNamed) {
  if (const std::string file = missing(kMobileNet); !file.empty()) GTEST_SKIP() << file << " is missing";
  const std::string weights = data_ + "/" + kMobileNet;
  expect_error({"--model", "mobilenet", "--alpha", "0.5", "--weights", weights, "--mode", "accuracy"}, 1,
               "this file is of mobilenet_0.25, not of mobilenet_0.5");
  expect_error({"--model", "vgg16", "--weights", weights, "--mode", "accuracy"}, 1,
               "this file is of mobilenet_0.25, not of vgg16");
}

TEST_F(RealData, MobileNetReference) {
  if (const std::string file = missing(kMobileNet); !file.empty()) GTEST_SKIP() << file << " is missing";
  const nlohmann::json both = runs({"--model", "mobilenet", "--alpha", "0.25", "--scheme", "reference"});
  expect_near(both[0], 0.5640, 0.7860, 1);
  expect_near(both[1], 0.3640, 0.6180, 3);
  const nlohmann::json pointwise = runs({"--model", "mobilenet", "--alpha", "0.25", "--scheme", "reference",
                                         "--depthwise", "float32", "--precision", "int8"});
  expect_near(pointwise[0], 0.5120, 0.7640, 3);
}

TEST_F(RealData, SqueezeNetReference) {
  if (const std::string file = missing(kSqueezeNet); !file.empty()) GTEST_SKIP() << file << " is missing";
  const nlohmann::json both = runs({"--model", "squeezenet", "--scheme", "reference"});
  expect_near(both[0], 0.5740, 0.7980, 1);
  expect_near(both[1], 0.5760, 0.7980, 3);
}

// Every layer int8, calibrated on 128 of the images, judged on the others although a table is read.
TEST_F(RealData, MaxAbsLosesLittle) {
  struct Case {
    std::vector<std::string> network;
    const char* weights;
    double most;  // points of top-1
  };
  for (const Case& c : {Case{{"--model", "mobilenet", "--alpha", "0.25"}, kMobileNet, 4},
                        Case{{"--model", "squeezenet"}, kSqueezeNet, 1}}) {
    if (const std::string file = missing(c.weights); !file.empty()) GTEST_SKIP() << file << " is missing";
    const auto with = [&](std::vector<std::string> args, const std::vector<std::string>& more) {
      args.insert(args.end(), c.network.begin(), c.network.end());
      args.insert(args.end(), more.begin(), more.end());
      return args;
    };
    ASSERT_EQ(run(with({"calibrate"}, {"--scheme", "maxabs", "--calibration-table", "t.json"})).code, 0);
    const nlohmann::json both = runs(with({}, {"--calibration-table", "t.json"}));
    EXPECT_GE(100 * both[1]["vs_first"]["top1_diff"].get<double>(), -c.most) << c.weights;
    EXPECT_EQ(both[1]["accuracy"]["images"], 372);
    EXPECT_EQ(read_json("r.json")["calibration"]["left_out_images"], 128);
  }
}

// Every layer int8: the recipe's own measure on images that it was not calibrated on.
TEST_F(RealData, BestAgreesWithFloat32) {
  if (const std::string file = missing(kMobileNet); !file.empty()) GTEST_SKIP() << file << " is missing";
  const nlohmann::json both =
      runs({"--model", "mobilenet", "--alpha", "0.25", "--scheme", "best", "--calibration-images", "128"});
  EXPECT_EQ(both[1]["accuracy"]["images"], 372);
  EXPECT_GE(both[1]["vs_first"]["agreement"].get<double>(), 0.93);
  EXPECT_GE(both[1]["vs_first"]["logits_sqnr_db"].get<double>(), 25.0);
  EXPECT_GE(100 * both[1]["vs_first"]["top1_diff"].get<double>(), -1.0);
}

TEST_F(RealData, FindsFilesAndSkipsTheCalibrated) {
  if (const std::string file = missing(kMobileNet); !file.empty()) GTEST_SKIP() << file << " is missing";
  const Outcome outcome = run({"--model", "mobilenet", "--alpha", "0.25", "--scheme", "maxabs", "--mode", "accuracy",
                               "--limit", "30", "--json", "r.json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const nlohmann::json json = read_json("r.json");
  EXPECT_EQ(json["calibration"]["images"], 125) << "a quarter of the 500";
  EXPECT_TRUE(json["calibration"]["excluded_from_accuracy"].get<bool>());
  EXPECT_EQ(json["calibration"]["classes"], 125) << "the sample has one image a class";
  EXPECT_EQ(json["data"]["count"], 30);
  EXPECT_EQ(json["data"]["size"], 500);
  EXPECT_LT(json["data"]["first"], 10) << "judged are the first of those that are left";
  EXPECT_LT(json["data"]["last"], 80);
  EXPECT_NE(outcome.out.find("125 images of the data, spread over 125 classes, not judged again"), std::string::npos)
      << outcome.out;
}

}  // namespace
}  // namespace gpueval::test
