// SPDX-License-Identifier: Apache-2.0
// A network that prepares its own pixels, and the same one that leaves it to whoever feeds it.
#include "session/pixel_chain.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "gpueval/engine.h"

namespace gpueval::test {
namespace {

const std::string kGolden = std::string(GPUEVAL_SOURCE_DIR) + "/tests/golden/keras/";
constexpr std::size_t kImages = 24, kElements = 9 * 9 * 3;  // of the golden networks

class PixelChain : public testing::Test {
 protected:
  PixelChain() {
    folder_ = testing::TempDir() + "gpueval_pixels_" + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directory(folder_);
    std::ofstream labels(folder_ + "/labels.txt");
    for (std::size_t i = 0; i < kImages; ++i) labels << i % 10 << '\n';
    std::vector<std::uint8_t> bytes(kImages * kElements);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * i * 2654435761u >> 13);
    write("bytes.npy", "|u1", bytes);
    write("floats.npy", "<f4", std::vector<float>(bytes.begin(), bytes.end()));
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(byte ^ 0x55);
    write("others.npy", "|u1", bytes);
  }
  ~PixelChain() override { std::filesystem::remove_all(folder_); }

  template <typename T>
  void write(const std::string& name, const std::string& type, const std::vector<T>& values) const {
    std::string header =
        "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + std::to_string(kImages) + ", 9, 9, 3), }";
    header.resize(117, ' ');
    std::ofstream file(folder_ + "/" + name, std::ios::binary);
    file << std::string("\x93NUMPY\x01\x00\x76\x00", 10) << header << '\n';
    file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  }

  // data: "demo", which are pictures, or a file of the folder.
  Plan plan(const std::string& network, const std::string& data) const {
    Plan plan;
    plan.model.file = kGolden + network;
    plan.device = "cpu";
    plan.data.path = data == "demo" ? data : folder_ + "/" + data;
    if (data != "demo") plan.data.labels = folder_ + "/labels.txt";
    plan.data.limit = 16;
    plan.calibration.images = 8;
    plan.rows = {{Precision::kFloat32}, {.precision = Precision::kInt8, .recipe = {.scheme = Scheme::kMaxAbs}}};
    plan.accuracy.emplace();
    return plan;
  }
  Report report(Plan plan) const {
    Observer silent;
    Report report = measure(plan, silent);
    EXPECT_TRUE(report.runs.at(0).accuracy && report.runs.at(1).accuracy);
    return report;
  }
  static std::string logits(const Report& report, std::size_t run) { return report.runs[run].accuracy->logits_sha256; }

  std::string folder_;
};

bool said(const Report& report, const std::string& part) {
  return std::any_of(report.notes.begin(), report.notes.end(),
                     [&](const std::string& note) { return note.find(part) != std::string::npos; });
}

TEST_F(PixelChain, OfBytesGivesTheBitsOfTheNetworkWithoutIt) {
  for (const char* data : {"demo", "bytes.npy"}) {
    Plan twin = plan("k3_rescaled.keras", data);
    twin.data.preprocessing.normalization = Normalization::kTf;
    const Report expected = report(twin), found = report(plan("k3_rescaling.keras", data));
    for (const std::size_t run : {0u, 1u}) EXPECT_EQ(logits(found, run), logits(expected, run)) << data;
    EXPECT_NE(logits(found, 0), logits(found, 1));
    EXPECT_EQ(found.data->preprocessing, expected.data->preprocessing);
    EXPECT_TRUE(said(found,
                     "'rescaling', with which the network begins, is left to the pixel table, whose values are "
                     "quantized: R, G, B as x / 127.5 - 1."));
    Plan none = plan("k3_rescaling.keras", data);
    none.data.preprocessing.normalization = Normalization::kNone;  // what it is given, said aloud
    EXPECT_EQ(logits(report(none), 1), logits(expected, 1)) << data;
  }
}

TEST_F(PixelChain, OfFloatsStaysInTheNetworkInFloat32) {
  EXPECT_FALSE(said(report(plan("k3_rescaling.keras", "floats.npy")), "pixel table"));
  Observer silent;
  const Prepared prepared = prepare(plan("k3_rescaling.keras", "floats.npy"), silent);
  const Graph& lowered = prepared.rows[1].graph;
  ASSERT_TRUE(std::holds_alternative<Affine>(lowered.node(1).op));
  EXPECT_EQ(lowered.node(1).type.dtype, DType::kF32);
  EXPECT_TRUE(std::holds_alternative<Quantize>(lowered.node(2).op)) << "nothing quantizes the pixels themselves";
}

// With one scale either way: what is quantized then is the same, although the chain's last bit may not be.
TEST_F(PixelChain, OneCalibrationTableServesBoth) {
  Observer silent;
  const std::string table = folder_ + "/table.json";
  Plan writing = plan("k3_rescaling.keras", "others.npy");
  writing.rows.erase(writing.rows.begin());
  save_table(calibrate_network(writing, silent).table, table);
  std::vector<std::string> found;
  for (const char* data : {"bytes.npy", "floats.npy"}) {
    Plan reading = plan("k3_rescaling.keras", data);
    reading.calibration = {.table = table, .images = {}, .image = {}};
    found.push_back(logits(report(reading), 1));
  }
  EXPECT_EQ(found[0], found[1]);
}

TEST(PixelChainNormalization, IsRecognisedWithinRounding) {
  const auto kind = [](const std::vector<float>& gamma, const std::vector<float>& beta) -> std::string {
    const auto found = normalization_of(gamma, beta);
    return found ? to_string(*found) : "no";
  };
  const std::vector<float> third(3, static_cast<float>(1 / 255.0)), minus(3, -1),
      half(3, static_cast<float>(1 / 127.5));
  EXPECT_EQ(kind(third, {0, 0, 0}), "unit");
  EXPECT_EQ(kind({third[0]}, {0}), "unit");
  EXPECT_EQ(kind(half, minus), "tf");
  const std::vector<double> mean{0.485, 0.456, 0.406}, deviation{0.229, 0.224, 0.225};
  std::vector<float> gamma, beta;
  for (std::size_t c = 0; c < 3; ++c) {
    gamma.push_back(static_cast<float>(1 / (255 * deviation[c])));
    beta.push_back(static_cast<float>(-mean[c] / deviation[c]));
  }
  EXPECT_EQ(kind(gamma, beta), "torch");
  EXPECT_EQ(kind({0.5f, 0.25f, 0.125f}, {-1, -2, -4}), "mean=2,8,32:std=2,4,8");
  EXPECT_EQ(kind({0.5f, 0.5f, 0.5f}, {-1, -1, -1}), "mean=2:std=2");
  EXPECT_EQ(kind({half[0] * 1.0001f, half[1], half[2]}, minus).substr(0, 5), "mean=") << "near, but not tf";
  EXPECT_EQ(kind({2, 2, 2}, {0, 0, 0}), "no") << "a deviation below 1";
  EXPECT_EQ(kind({0, 0, 0}, {1, 1, 1}), "no");
  EXPECT_EQ(kind({-half[0], -half[1], -half[2]}, {1, 1, 1}), "no");
  EXPECT_EQ(kind({1, 1}, {0, 0}), "no") << "two channels";
}

}  // namespace
}  // namespace gpueval::test
