// SPDX-License-Identifier: Apache-2.0
// Whether a device's boxes are believed, and what they cost, on a device whose clock and faults are known.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "session/parts.h"
#include "task/detection/decode.h"

namespace gpueval {
namespace {

Priors two_priors() {
  Priors priors{.boxes = {{0.25f, 0.5f, 0.5f, 0.5f}, {0.75f, 0.5f, 0.5f, 0.5f}}, .classes = {"a"}};
  return priors;
}

// Its outputs are constants; a pass takes 10 ms, finding the boxes 3 more, with scores above .5 one.
class FakeDetector : public Engine, DeviceClock, DeviceDetection {
 public:
  FakeDetector() {
    Node input{.name = "input", .op = Input{}, .shape = {1, 1, 1, 3}};
    Node boxes{.name = "boxes", .op = Relu{}, .inputs = {0}, .shape = {1, 2, 1, 4}};
    Node scores{.name = "scores", .op = Relu{}, .inputs = {0}, .shape = {1, 2, 1, 1}};
    graph_ = {"fake", {input, boxes, scores}, {{"boxes", 1}, {"scores", 2}}};
  }
  void run(std::span<const float>, int n, Outputs outputs) override {
    for (int i = 0; i < n; ++i) {
      std::fill_n(outputs[0].begin() + i * 8, 8, 0.125f);
      outputs[1][static_cast<std::size_t>(i) * 2] = 0.75f;
      outputs[1][static_cast<std::size_t>(i) * 2 + 1] = 0.25f;
    }
  }
  void run_tapped(std::span<const float>, int, Outputs, const LayerTap&) override {}
  void run_timed(std::span<const float>, int, Outputs, std::span<double>) override {}
  const std::vector<LayerInfo>& layers() const override { return layers_; }
  const Graph& graph() const override { return graph_; }
  std::string device() const override { return "fake"; }
  std::size_t arena_bytes() const override { return 0; }
  DeviceClock* device_clock() override { return this; }
  DeviceDetection* detection() override { return this; }

  double load(std::span<const float>, int) override { return 0; }
  double run_loaded() override { return 0.010; }
  double fetch(Outputs) override { return 0; }
  std::string prepare(const Detector& detector) override {
    prepared_ = detector;
    return refusal;
  }
  void detect(std::span<const float> input, int n, std::span<std::vector<FoundBox>> found) override {
    OutputBuffers outputs(graph_, n);
    run(input, n, outputs);
    for (std::vector<FoundBox>& boxes : found)
      boxes =
          gpueval::detect(prepared_.priors, thresholds_of(prepared_.priors), outputs[0].first(8), outputs[1].first(2));
    if (fault) fault(found.back());
  }
  double detect_loaded() override { return prepared_.priors.score_threshold < 0.5 ? 0.013 : 0.011; }
  double fetch_found(std::span<std::vector<FoundBox>>) override { return 0; }
  double threshold() const { return prepared_.priors.score_threshold; }

  std::string refusal;
  std::function<void(std::vector<FoundBox>&)> fault;

 private:
  Graph graph_;
  std::vector<LayerInfo> layers_;
  Detector prepared_;
};

TEST(DeviceDetections, AreBelievedWhereTheyAreTheHosts) {
  const Detector detector{two_priors(), {0, 1}};
  FakeDetector device;
  const auto why = [&] { return why_not_on_device(detector, device, std::vector<float>(9), 3); };
  EXPECT_EQ(why(), "");
  device.fault = [](std::vector<FoundBox>& found) { found.pop_back(); };
  EXPECT_EQ(why(), "of picture 2 of a batch it finds others: 1 boxes, the host finds 2");
  device.fault = [](std::vector<FoundBox>& found) { found[1].x2 = std::nextafter(found[1].x2, 2.0f); };
  EXPECT_NE(why().find("box 1 is of class 0 with score 0.25"), std::string::npos) << why();
  device.fault = [](std::vector<FoundBox>& found) { std::swap(found[0], found[1]); };
  EXPECT_NE(why(), "");
  device.fault = {};
  device.refusal = "it has no room";
  EXPECT_EQ(why(), "it has no room");
}

TEST(DeviceDetections, AreTimedByTheDevicesClock) {
  const Detector usual{two_priors(), {0, 1}};
  Detector other = usual;
  other.priors.score_threshold = 0.5;
  FakeDetector device;
  const PostprocessingReport report = time_on_device(usual, other, *device.device_clock(), *device.detection());
  EXPECT_TRUE(report.on_device);
  EXPECT_NEAR(report.network_ms, 10, 1e-9);
  EXPECT_NEAR(report.ms, 3, 1e-9);
  EXPECT_NEAR(report.other_ms, 1, 1e-9);
  EXPECT_EQ(report.other_threshold, 0.5);
  EXPECT_EQ(device.threshold(), 0.01) << "what was prepared before is prepared again";
}

}  // namespace
}  // namespace gpueval
