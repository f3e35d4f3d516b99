// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "program.h"

namespace gpueval::test {
namespace {

class Export : public ProgramTest {};

TEST_F(Export, ErrorsNameTheOption) {
  const std::vector<std::string> demo{"export", "--model", "demo"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), demo.begin(), demo.end());
    return more;
  };
  expect_error(demo, 2, "export needs --onnx F.onnx");
  expect_error({"--model", "demo", "--onnx", "f.onnx"}, 2,
               "unknown option --onnx: `gpu_eval --help` lists what it has; gpu_eval export has it");
  expect_error(with({"--onnx", "f", "--precision", "float32,int8"}), 2, "export writes one network");
  expect_error(with({"--onnx", "f", "--precision", "int8", "--scheme", "reference"}), 2,
               "export contradicts --scheme reference");
  expect_error(with({"--onnx", "f", "--scheme", "maxabs"}), 2, "--scheme contradicts --precision float32");
  expect_error(with({"--onnx", "f", "--batch", "2"}), 2, "unknown option --batch");
  expect_error({"export", "--onnx", "f", "--model", "demo,squeezenet"}, 2, "--model: export takes one network");
  expect_error(with({"--onnx", "f", "--limit", "2"}), 2, "unknown option --limit");
  EXPECT_FALSE(std::filesystem::exists(path("f")));
}

TEST_F(Export, UnwritablePathIsAnError) {
  expect_error({"export", "--model", "demo", "--onnx", "nowhere/f.onnx"}, 1,
               "nowhere/f.onnx: cannot be written: No such file or directory");
}

TEST_F(Export, WritesFloatAndInt8) {
  const Outcome float32 = run({"export", "--model", "demo", "--onnx", "f.onnx"});
  ASSERT_EQ(float32.code, 0) << float32.err;
  EXPECT_NE(float32.out.find("f.onnx: demo float32"), std::string::npos) << float32.out;
  EXPECT_NE(float32.out.find("output `logits` (N, 10)"), std::string::npos) << float32.out;
  const std::vector<std::string> table{"--model", "demo", "--scheme", "maxabs", "--calibration-table", "t.json"};
  const auto after = [&](std::vector<std::string> first) {
    first.insert(first.end(), table.begin(), table.end());
    return first;
  };
  ASSERT_EQ(run(after({"calibrate", "--calibration-images", "8"})).code, 0);
  const Outcome int8 = run(after({"export", "--precision", "int8", "--onnx", "i.onnx"}));
  ASSERT_EQ(int8.code, 0) << int8.err;
  EXPECT_NE(int8.out.find("i.onnx: demo int8 (scheme maxabs, u8 activations)"), std::string::npos) << int8.out;
  EXPECT_LT(std::filesystem::file_size(path("i.onnx")), std::filesystem::file_size(path("f.onnx")));
  // The table decides every number, so the file is the same each time.
  ASSERT_EQ(run(after({"export", "--precision", "int8", "--onnx", "again.onnx"})).code, 0);
  EXPECT_EQ(read("i.onnx"), read("again.onnx"));
}

TEST_F(Export, Int8CalibratesWithoutATable) {
  const Outcome outcome = run({"export", "--model", "demo", "--precision", "int8", "--activations", "s8", "--scheme",
                               "maxabs", "--calibration-images", "4", "--onnx", "s.onnx"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("s8 activations"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("Calibrated on 4 images"), std::string::npos) << outcome.out;
}

}  // namespace
}  // namespace gpueval::test
