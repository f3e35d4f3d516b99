// SPDX-License-Identifier: Apache-2.0
// Files that are missing, damaged, hostile or not to be written: one sentence each, and no crash.
#include <algorithm>

#include "program.h"
#include "tiny_jpeg.h"

namespace gpueval::test {
namespace {

class Files : public ProgramTest {
 protected:
  static std::string jpeg() { return {kTinyJpeg.begin(), kTinyJpeg.end()}; }
  std::string demo_weights() const {
    write("copy.h5", "");
    std::filesystem::copy_file(GPUEVAL_SOURCE_DIR "/models/demo/demo.h5", path("copy.h5"),
                               std::filesystem::copy_options::overwrite_existing);
    return read("copy.h5");
  }
};

TEST_F(Files, MissingWeightsAreExplained) {
  const Outcome outcome = run({"--model", "inceptionv3", "--precision", "int8"});
  EXPECT_EQ(outcome.code, 1);
  for (const char* text : {"inception_v3_weights_tf_dim_ordering_tf_kernels.h5", "~/.keras/models", "$GPUEVAL_DATA",
                           "published at", "random weights", "the network demo"}) {
    EXPECT_NE(outcome.err.find(text), std::string::npos) << text << "\n" << outcome.err;
  }
}

TEST_F(Files, DamagedWeights) {
  const std::string weights = demo_weights();
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, weights.size() / 2, weights.size() - 1000}) {
    write("cut.h5", weights.substr(0, size));
    expect_error({"--model", "demo", "--weights", "cut.h5", "--mode", "accuracy"}, 1, "cut.h5");
  }
  expect_error({"--model", "demo", "--weights", "none.h5"}, 1, "none.h5");
  write("text.h5", "these are not weights");
  expect_error({"--model", "demo", "--weights", "text.h5"}, 1, "text.h5");
  write("whole.h5", weights);
  expect_error({"--model", "squeezenet", "--weights", "whole.h5", "--mode", "speed"}, 1, "whole.h5");
}

TEST_F(Files, HostileAndBrokenPickles) {
  write("hostile.pkl", "cos\nsystem\n(S'touch hacked'\ntR.");
  expect_error({"--model", "demo", "--data", "hostile.pkl", "--mode", "accuracy"}, 1, "hostile.pkl");
  EXPECT_FALSE(std::filesystem::exists(path("hacked")));
  write("text.pkl", "hello");
  expect_error({"--model", "demo", "--data", "text.pkl"}, 1, "text.pkl");
  write("cut.pkl", std::string("\x80\x04\x95\x10\x00", 5));
  expect_error({"--model", "demo", "--data", "cut.pkl"}, 1, "cut.pkl");
  expect_error({"--model", "demo", "--data", "none.pkl"}, 1, "none.pkl");
}

TEST_F(Files, ArraysAreJudgedOrRefusedInASentence) {
  const auto npy = [](const std::string& type, const std::string& shape, std::size_t bytes) {
    const std::string dict = "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
    std::string data(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i) data[i] = static_cast<char>(i / 251 % 10);
    return std::string("\x93NUMPY\1\0", 8) + static_cast<char>(dict.size()) + '\0' + dict + data;
  };
  write("x.npy", npy("|u1", "(12, 96, 96, 3)", std::size_t{12} * 96 * 96 * 3));
  write("y.npy", npy("|u1", "(12, 1)", 12));
  const Outcome outcome = run({"--model", "demo", "--data", "x.npy", "--labels", "y.npy", "--normalize", "tf", "--mode",
                               "accuracy", "--scheme", "maxabs", "--calibration-images", "2", "--json", "r.json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const nlohmann::json data = read_json("r.json")["data"];
  EXPECT_EQ(data["kind"], "npy");
  EXPECT_EQ(data["count"], 10);
  EXPECT_EQ(data["preprocessing"], "array_tf");
  expect_error({"--model", "demo", "--data", "x.npy", "--mode", "accuracy"}, 2, "name these with --labels");
  expect_error({"--model", "demo", "--data", "x.npy", "--labels", "y.npy", "--fit", "crop"}, 2, "nothing to fit");
  write("small.npy", npy("<f4", "(12, 28, 28, 1)", std::size_t{12} * 28 * 28 * 4));
  expect_error({"--model", "demo", "--data", "small.npy", "--labels", "y.npy"}, 1,
               "small.npy: its elements are 28 x 28 x 1, but the network takes 96 x 96 x 3");
  write("cut.npy", npy("|u1", "(12, 96, 96, 3)", 1000));
  expect_error({"--model", "demo", "--data", "cut.npy", "--labels", "y.npy"}, 1, "cut.npy: holds 1000 bytes");
}

TEST_F(Files, CorruptImagesAreCountedAndTheRunGoesOn) {
  for (char c = 'a'; c <= 'j'; ++c) write(std::string("f/") + c + "/1.jpg", jpeg());
  write("f/b/2.jpg", jpeg().substr(0, 100));
  const Outcome outcome =
      run({"--model", "demo", "--data", "f", "--mode", "accuracy", "--scheme", "reference", "--json", "r.json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("1 image could not be decoded and was skipped"), std::string::npos) << outcome.out;
  const nlohmann::json json = read_json("r.json");
  EXPECT_EQ(json["data"]["skipped"], 1);
  EXPECT_EQ(json["data"]["skipped_images"][0]["index"], 2);
  for (const auto& run : json["runs"]) EXPECT_EQ(run["accuracy"]["images"], 10);
  EXPECT_EQ(json["data"]["label_mapping"],
            "class folders numbered in text order, as Keras does: 0 a, 1 b, 2 c, 3 d, 4 e, 5 f, 6 g, 7 h, 8 i, 9 j");
  EXPECT_NE(outcome.out.find("\n\nWARNING: 1 of 11 images (9.1%) could not be decoded"), std::string::npos)
      << outcome.out;
}

TEST_F(Files, WrongLabels) {
  write("f/1.jpg", jpeg());
  write("f/2.jpg", jpeg());
  write("three.txt", "0\n1\n2\n");
  expect_error({"--model", "demo", "--data", "f", "--labels", "three.txt", "--mode", "accuracy"}, 1, "three.txt");
  write("wide.txt", "0\n999\n");
  expect_error(
      {"--model", "demo", "--data", "f", "--labels", "wide.txt", "--mode", "accuracy", "--precision", "float32"}, 1,
      "class id 999");
  write("names.txt", "circle\nsquare\n");
  expect_error({"--model", "demo", "--image", "f/1.jpg", "--class-names", "names.txt"}, 1, "has 2 class names");
}

// A device would be replaced by the file that is renamed to it.
TEST_F(Files, LogitsReplaceRegularFilesOnly) {
  std::filesystem::create_symlink("/dev/null", path("sink.npy"));
  run({"--model", "demo", "--mode", "accuracy", "--limit", "2", "--precision", "float32", "--save-logits",
       path("sink.npy")});
  EXPECT_TRUE(std::filesystem::is_symlink(path("sink.npy")));
}

TEST_F(Files, BadTables) {
  expect_error({"--model", "demo", "--calibration-table", "none.json", "--mode", "speed"}, 1, "none.json");
  write("bad.json", "{}");
  expect_error({"--model", "demo", "--calibration-table", "bad.json", "--mode", "speed"}, 1, "bad.json");
}

TEST_F(Files, CompareNeedsResults) {
  write("a.json", "{}");
  write("b.json", "[1");
  write("c.json", R"({"schema": 1, "runs": [{"precision": "int8"}]})");
  write("d.json", R"({"schema": 2, "runs": []})");
  expect_error({"compare", "none.json", "a.json"}, 1, "none.json");
  expect_error({"compare", "a.json", "a.json"}, 1, "a.json: not a result");
  expect_error({"compare", "b.json", "b.json"}, 1, "b.json: not a result");
  expect_error({"compare", "c.json", "c.json"}, 1, "not a complete result");
  expect_error({"compare", "d.json", "d.json"}, 1, "schema 2");
}

TEST_F(Files, ClassifiesAnImage) {
  write("i.jpg", jpeg());
  write("names.txt", "n0\nn1\nn2\nn3\nn4\nn5\nn6\nn7\nn8\nthe ninth\n");
  const Outcome outcome =
      run({"--model", "demo", "--scheme", "maxabs", "--image", "i.jpg", "--class-names", "names.txt"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("\nfloat32\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("\nint8 maxabs\n"), std::string::npos) << outcome.out;
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '%'), 10) << outcome.out;
  write("bad.jpg", "nothing");
  expect_error({"--model", "demo", "--image", "bad.jpg"}, 1, "bad.jpg");
}

}  // namespace
}  // namespace gpueval::test
