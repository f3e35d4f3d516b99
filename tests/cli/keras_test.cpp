// SPDX-License-Identifier: Apache-2.0
// Networks of the user's own.
#include <filesystem>

#include "program.h"

namespace gpueval::test {
namespace {

class KerasFile : public ProgramTest {
 protected:
  // Of tests/golden/keras: an input of 7 x 6 x 4; outputs "head" (3), "probabilities" (3, behind a softmax), "both".
  const std::string network_ = std::string(GPUEVAL_SOURCE_DIR) + "/tests/golden/keras/k3_structure.keras";

  // n arrays of the input's shape, float32 zeros.
  std::string zeros(int n) const {
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(n) + ", 7, 6, 4), }";
    header.resize(117, ' ');
    write("zeros.npy", std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + '\n' +
                           std::string(static_cast<std::size_t>(n) * 7 * 6 * 4 * 4, '\0'));
    return path("zeros.npy");
  }
};

TEST_F(KerasFile, IsInspectedAndListed) {
  const Outcome inspected = run({"inspect", network_});
  EXPECT_EQ(inspected.code, 0) << inspected.err;
  for (const char* text : {"'structure', Keras 3", "outer/inner/conv ", "outer#2/inner/conv ", "output 'head': 3\n",
                           "output 'probabilities': 3, in front of its softmax\n"}) {
    EXPECT_NE(inspected.out.find(text), std::string::npos) << text << inspected.out;
  }
  EXPECT_NE(run({"list", "layers"}).out.find("Conv2DTranspose"), std::string::npos);
}

TEST_F(KerasFile, EveryOutputIsSaved) {
  const Outcome saved =
      run({"--model", network_, "--data", zeros(3), "--mode", "accuracy", "--precision", "float32", "--save-outputs",
           path("out"), "--save-logits", path("first.npy"), "--json", path("r.json")});
  EXPECT_EQ(saved.code, 0) << saved.err;
  EXPECT_NE(saved.out.find("this network has 3 outputs"), std::string::npos) << saved.out;
  EXPECT_EQ(read("out/head.npy"), read("first.npy"));
  EXPECT_NE(read("out/both.npy").find("(3, 7, 6, 8)"), std::string::npos);
  const nlohmann::json model = read_json("r.json")["model"];
  EXPECT_EQ(model["name"], "structure");
  EXPECT_EQ(model["outputs"][1]["head"], "softmax");
  EXPECT_EQ(run({"--model", network_, "--data", zeros(3), "--mode", "accuracy", "--precision", "float32",
                 "--save-outputs", path("behind"), "--probabilities"})
                .code,
            0);
  EXPECT_EQ(read("out/head.npy"), read("behind/head.npy"));
  EXPECT_NE(read("out/probabilities.npy"), read("behind/probabilities.npy"));
}

TEST_F(KerasFile, IsTimedInInt8) {
  const Outcome timed = run({"--model", network_, "--mode", "speed", "--precision", "float32,int8", "--scheme",
                             "maxabs", "--duration", "0.01", "--warm-up", "1", "--json", path("r.json")});
  EXPECT_EQ(timed.code, 0) << timed.err;
  EXPECT_EQ(read_json("r.json")["runs"].size(), 2u);
}

TEST_F(KerasFile, EveryOutputIsExported) {
  const Outcome exported = run({"export", "--model", network_, "--onnx", "f.onnx"});
  EXPECT_EQ(exported.code, 0) << exported.err;
  EXPECT_NE(exported.out.find("output `head` (N, 3), output `probabilities` (N, 3), output `both` (N, 7, 6, 8)\n"),
            std::string::npos)
      << exported.out;
}

TEST_F(KerasFile, FaultsHaveOneSentence) {
  expect_error({"--model", path("none.keras"), "--mode", "speed"}, 1, "there is no such weight file");
  expect_error({"--model", network_, "--weights", "x.h5", "--mode", "speed"}, 2, "is a whole network");
  expect_error({"--model", network_, "--data", zeros(1), "--mode", "accuracy"}, 1, "this network has 3 outputs");
  expect_error(
      {"sensitivity", "--model", network_, "--data", zeros(1)}, 1,
      "accuracy is measured of classifiers, segmentations and detectors (--priors), and this network has 3 outputs");
  expect_error({"inspect"}, 2, "inspect: expected one file");
  expect_error({"inspect", network_, "--input-size", "x"}, 2, "--input-size: input size 'x'");
}

}  // namespace
}  // namespace gpueval::test
