// SPDX-License-Identifier: Apache-2.0
// The two real networks in static int8 on real photographs: the device's logits are the CPU's, bit for bit. And every
// tensor of a real Inception, whose branches run in parallel.
#include <algorithm>
#include <filesystem>

#include "engine_case.h"
#include "gpueval/accuracy.h"
#include "gpueval/models.h"
#include "support/data_files.h"

namespace gpueval::cuda {
namespace {

constexpr int kBatch = 4, kImages = 100, kCalibration = 64;

class RealNetworks : public DeviceTest {
 protected:
  struct Network {
    const char* model;
    double alpha;
    const char* weights;
  };

  void expect_same_logits(const Network& network, int images) {
    const std::string pickle = test::real_data("imagenet/val224_sample.pkl"), file = test::real_data(network.weights);
    for (const std::string& path : {pickle, file}) {
      if (!std::filesystem::exists(path)) GTEST_SKIP() << "there is no " << path;
    }
    const ModelSpec& spec = find_model(network.model);
    const Graph bound = bind_weights(spec.build({.alpha = network.alpha, .variant = {}}), read_weight_file(file));
    const std::unique_ptr<Dataset> data = open_dataset(pickle, "");
    std::vector<SkippedImage> skipped;
    const auto source = [&](std::size_t first, int count) {
      return image_source(*data, make_preprocessing(spec.input, *data), first, static_cast<std::size_t>(count),
                          &skipped);
    };
    CalibrationTable table;
    table.range = observe_ranges(*cpu::make_cpu_engine(lower_float(bound), {.batch = 16}), source(0, kCalibration), 16);
    const Graph graph = lower_static(bound, table, {});

    const auto cpu = cpu::make_cpu_engine(graph, {.batch = kBatch});
    const auto device = engine(graph, {.batch = kBatch});
    const BatchSource batches = source(0, images);
    std::vector<float> pixels;
    int done = 0;
    for (int n = batches(pixels, kBatch); n > 0; n = batches(pixels, kBatch)) {
      ASSERT_EQ(run(*device, pixels, n), run(*cpu, pixels, n)) << "images " << done << " to " << done + n - 1;
      done += n;
    }
    EXPECT_EQ(done, images);

    std::vector<Image> decoded;  // the same by the device's own preprocessing
    for (std::size_t i = 0; i < kBatch; ++i) decoded.push_back(data->decode(i));
    ASSERT_EQ(source(0, kBatch)(pixels, kBatch), kBatch);
    const std::vector<float> want = run(*device, pixels, kBatch);
    std::vector<float> logits(want.size());
    device->preprocessing()->submit(decoded, pixel_table(spec.input.normalization));
    device->pipeline()->collect(logits);
    EXPECT_EQ(logits, want);
  }
};

TEST_P(RealNetworks, MobileNetEqualsTheCpuOnRealImages) {
  expect_same_logits({"mobilenet", 0.25, "weights/mobilenet_2_5_224_tf.h5"}, kImages);
}

TEST_P(RealNetworks, SqueezeNetEqualsTheCpuOnRealImages) {
  expect_same_logits({"squeezenet", 1, "weights/squeezenet_weights_tf_dim_ordering_tf_kernels.h5"}, kImages);
}

INSTANTIATE_TEST_SUITE_P(, RealNetworks, testing::Values("emu", "gpu"),
                         [](const auto& device) { return std::string(device.param); });

}  // namespace
}  // namespace gpueval::cuda
