// SPDX-License-Identifier: Apache-2.0
// A detector whose boxes the device finds itself, against what the host finds in the outputs of the same engine: step
// by step, captured and replayed, with other thresholds, on deferred streams.
#include <filesystem>

#include "cuda/runtime/tables.h"
#include "engine_case.h"
#include "gpueval/detector.h"
#include "gpueval/error.h"
#include "graph/passes.h"
#include "support/found_boxes.h"

namespace gpueval::cuda {
namespace {

constexpr int kPictures = 3, kPriors = 6 * 6 * 2, kChannels = 4;

Graph network() {
  GraphBuilder g("detector");
  const GraphBuilder::ConvOptions same{.pad = Pad::kSame};
  const int stem =
      g.relu("stem_relu", g.conv2d("stem", g.input(12, 12, 3), 16, 3, 3, {.stride = 2, .pad = Pad::kSame}));
  const int scores =
      g.reshape("scores", g.conv2d("scores_map", stem, 2 * kChannels, 3, 3, same), {kPriors, 1, kChannels});
  const int boxes = g.reshape("boxes", g.conv2d("boxes_map", stem, 2 * 4, 3, 3, same), {kPriors, 1, 4});
  Graph graph = g.finish({{"scores", scores}, {"boxes", boxes}});
  test::bind_random(graph, 5);
  return graph;
}

Detector detector(double score_threshold) {
  Priors priors{.classes = {"a", "b", "c"}, .background = Background::kFirst, .scores = ScoreForm::kSoftmax};
  priors.score_threshold = score_threshold;
  priors.keep_before_nms = 30;
  priors.keep = 40;
  Random random(3);
  for (int i = 0; i < kPriors; ++i) {
    const auto part = [&] { return static_cast<float>(random.uniform(0.2, 0.8)); };
    priors.boxes.push_back({part(), part(), part(), part()});
  }
  return {priors, {.boxes = 1, .scores = 0}};
}

class DetectionOfEngine : public DeviceTest {
 protected:
  using Found = std::vector<std::vector<FoundBox>>;
  Found by_host(Engine& device, const Detector& wanted, const std::vector<float>& images, int n) const {
    const OutputBuffers outputs(device.graph(), n);
    device.run(images, n, outputs);
    Found found;
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
      found.push_back(test::found_by_host(wanted.priors, outputs[1], outputs[0], i));
    return found;
  }
  static void expect_equal(const Found& got, const Found& want, const std::string& of) {
    for (std::size_t i = 0; i < want.size(); ++i)
      test::expect_equal_boxes(got[i], want[i], of + ", picture " + std::to_string(i));
  }
  void expect_host_boxes(const Graph& graph, const EngineOptions& options) const {
    const auto device = engine(graph, options);
    DeviceDetection& detection = *device->detection();
    std::size_t most = 0;
    for (const double threshold : {0.05, 0.4, 0.05}) {
      const Detector wanted = detector(threshold);
      ASSERT_EQ(detection.prepare(wanted), "");
      for (const int n : {kPictures, 1}) {
        const std::vector<float> images = test::random_images(graph, n, 17);
        const Found want = by_host(*device, wanted, images, n);
        Found found(static_cast<std::size_t>(n));
        for (int pass = 0; pass < 4; ++pass) {
          detection.detect(images, n, found);
          expect_equal(found, want, "pass " + std::to_string(pass));
        }
        Found fetched(static_cast<std::size_t>(n));
        device->device_clock()->load(images, n);
        for (int pass = 0; pass < 2; ++pass) EXPECT_GE(detection.detect_loaded(), 0);
        detection.fetch_found(fetched);
        expect_equal(fetched, want, "loaded");
        most = std::max(most, want[0].size());
      }
    }
    EXPECT_GT(most, 10u);
  }
};

TEST_P(DetectionOfEngine, IsTheHosts) {
  expect_host_boxes(lower_float(network()), {.batch = kPictures});
  expect_host_boxes(test::quantized(network(), DType::kU8), {.batch = kPictures});
  expect_host_boxes(lower_float(network()), {.batch = kPictures, .math = FloatMath::kHalf});
  expect_host_boxes(lower_float(network()), {.batch = kPictures, .cuda_graph = false});
}

TEST_P(DetectionOfEngine, WaitsForBothHeads) {
  if (!emulated()) GTEST_SKIP() << "a GPU has its own order of streams";
  const Graph graph = test::quantized(network(), DType::kU8);
  const auto device = engine(graph, {.batch = kPictures});
  const Detector wanted = detector(0.05);
  ASSERT_EQ(device->detection()->prepare(wanted), "");
  const std::vector<float> images = test::random_images(graph, kPictures, 18);
  const Found want = by_host(*device, wanted, images, kPictures);
  Found found(kPictures);
  device->detection()->detect(images, kPictures, found);
  emulator::set_deferred(true);
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    emulator::set_options({.seed = seed});
    device->detection()->detect(images, kPictures, found);
    expect_equal(found, want, "seed " + std::to_string(seed));
  }
}

TEST_P(DetectionOfEngine, RefusesWhatItCannotDo) {
  const auto device = engine(lower_float(network()), {.batch = 1});
  Detector wanted = detector(-1);
  EXPECT_NE(device->detection()->prepare(wanted).find("score threshold"), std::string::npos);
  Found found(1);
  EXPECT_THROW(device->detection()->detect(std::vector<float>(12 * 12 * 3), 1, found), Error) << "nothing is prepared";
  wanted.outputs = {.boxes = 0, .scores = 2};
  EXPECT_THROW(static_cast<void>(device->detection()->prepare(wanted)), Error);
}

TEST_P(DetectionOfEngine, RefusesKernelsThatFailedTheSelfTest) {
  const std::string path = testing::TempDir() + "gpueval_failed_detection.json";
  SelftestRecord record(path, tuning_key(runtime_->properties(), conv_kernels_of(*runtime_), build_revision()));
  record.store("detector_keys", "");
  record.store("detector_best", "first difference at word 0");
  record.save();
  const auto device = make_device_engine(runtime_, GetParam(), lower_float(network()), {.batch = 1},
                                         {.selector = {.selftest_path = path}});
  std::filesystem::remove(path);
  EXPECT_EQ(device->detection()->prepare(detector(0.05)),
            "its kernel detector_best failed the self-test; `gpu_eval selftest` tests it again");
  for (const std::string& note : device->notes()) EXPECT_EQ(note.find("detector"), std::string::npos) << note;
}

INSTANTIATE_TEST_SUITE_P(All, DetectionOfEngine, testing::Values("emu", "gpu"),
                         [](const auto& row) { return std::string(row.param); });

}  // namespace
}  // namespace gpueval::cuda
