// SPDX-License-Identifier: Apache-2.0
// The two real networks on 500 real photographs: accuracy and logits against an engine we did not write (PyTorch), as
// given in the data folder's README, and the losses that `maxabs` may have.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "core/threads.h"
#include "gpueval/accuracy.h"
#include "gpueval/models.h"
#include "gpueval/quant.h"
#include "support/data_files.h"

namespace gpueval {
namespace {

constexpr int kBatch = 16, kClasses = 1000;

std::vector<float> read_npy(const std::string& path) {
  const std::vector<std::uint8_t> bytes = test::read_bytes(path);
  const std::size_t header = 10 + bytes.at(8) + 256u * bytes.at(9);
  std::vector<float> values((bytes.size() - header) / sizeof(float));
  std::memcpy(values.data(), bytes.data() + header, values.size() * sizeof(float));
  return values;
}

struct Network {
  const char* model;
  double alpha;
  const char* weights;
};
constexpr Network kMobileNet{"mobilenet", 0.25, "weights/mobilenet_2_5_224_tf.h5"};
constexpr Network kSqueezeNet{"squeezenet", 1.0, "weights/squeezenet_weights_tf_dim_ordering_tf_kernels.h5"};

class RealData : public testing::Test {
 protected:
  // nullptr and a skip reason where a file is missing.
  bool open(const Network& network) {
    for (const std::string& path : {test::real_data(network.weights), test::real_data("imagenet/val224_sample.pkl")}) {
      if (!std::filesystem::exists(path)) {
        skip_ = "there is no " + path;
        return false;
      }
    }
    spec_ = &find_model(network.model);
    bound_ = bind_weights(spec_->build({.alpha = network.alpha, .variant = {}}),
                          read_weight_file(test::real_data(network.weights)));
    data_ = open_dataset(test::real_data("imagenet/val224_sample.pkl"), "");
    return true;
  }

  AccuracyRun judge(std::vector<Engine*> engines, std::size_t first) const {
    AccuracyOptions options;
    options.preprocessing = make_preprocessing(spec_->input, *data_);
    options.first = first;
    options.count = data_->size() - first;
    options.batch = kBatch;
    return run_accuracy(*data_, engines, options);
  }

  // Logits of the first 40 images.
  std::vector<float> logits(Engine& engine, int batch) const {
    const auto pixels = static_cast<std::size_t>(spec_->input.height * spec_->input.width * 3);
    std::vector<float> images(40 * pixels), result(40 * kClasses);
    parallel_for_dynamic(40, [&](std::int64_t i) {
      const auto index = static_cast<std::size_t>(i);
      make_preprocessing(spec_->input, *data_)
          .apply(data_->decode(index), std::span(images).subspan(index * pixels, pixels));
    });
    for (int i = 0; i < 40; i += batch) {
      const int n = std::min(batch, 40 - i);
      const auto at = static_cast<std::size_t>(i), count = static_cast<std::size_t>(n);
      engine.run(std::span(images).subspan(at * pixels, count * pixels), n,
                 std::span(result).subspan(at * kClasses, count * kClasses));
    }
    return result;
  }

  Graph lower(Scheme scheme, bool depthwise_int8 = true) const {
    QuantOptions options{.scheme = scheme, .activations = DType::kU8, .depthwise_int8 = depthwise_int8};
    if (scheme == Scheme::kReference) return lower_reference(bound_, options);
    const auto engine = make_engine("cpu", lower_float(bound_), {.batch = kBatch});
    CalibrationTable table;
    std::vector<SkippedImage> skipped;
    table.range = observe_ranges(
        *engine, image_source(*data_, make_preprocessing(spec_->input, *data_), 0, 128, &skipped), kBatch);
    return lower_static(bound_, table, options);
  }

  std::string skip_;
  const ModelSpec* spec_ = nullptr;
  Graph bound_;
  std::unique_ptr<Dataset> data_;
};

struct Published {
  const char* name;
  Network network;
  const char* golden;
  bool reference, depthwise_int8;
  int top1, top5;  // of 500
};

class PublishedAccuracy : public RealData, public testing::WithParamInterface<Published> {};

TEST_P(PublishedAccuracy, MatchesTheIndependentEngine) {
  const Published& expected = GetParam();
  if (!open(expected.network)) GTEST_SKIP() << skip_;
  const auto engine =
      make_engine("cpu", expected.reference ? lower(Scheme::kReference, expected.depthwise_int8) : lower_float(bound_),
                  {.batch = kBatch});
  const AccuracyResult row = judge({engine.get()}, 0).rows.at(0);
  const int off = expected.reference ? 3 : 1;
  EXPECT_EQ(row.images, 500);
  EXPECT_NEAR(500 * row.headline(), expected.top1, off);
  EXPECT_NEAR(500 * row.metrics[1].value, expected.top5, off);

  const std::vector<float> golden = read_npy(test::real_data(expected.golden)), ours = logits(*engine, kBatch);
  ASSERT_EQ(golden.size(), ours.size());
  double error = 0, norm = 0, largest = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    error += std::pow(double{ours[i]} - golden[i], 2);
    norm += std::pow(golden[i], 2);
    largest = std::max(largest, std::abs(double{ours[i]} - golden[i]));
  }
  EXPECT_LT(std::sqrt(error / norm), expected.reference ? 2e-2 : 1e-5);
  EXPECT_LT(largest, expected.reference ? 1.0 : 1e-3);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, PublishedAccuracy,
    testing::Values(
        Published{"MobileNetFloat32", kMobileNet, "golden/mobilenet_2_5_float32.npy", false, false, 282, 393},
        Published{"MobileNetReference", kMobileNet, "golden/mobilenet_2_5_reference.npy", true, true, 182, 309},
        Published{"MobileNetReferenceFloatDepthwise", kMobileNet, "golden/mobilenet_2_5_reference-pw.npy", true, false,
                  256, 382},
        Published{"SqueezeNetFloat32", kSqueezeNet, "golden/squeezenet_float32.npy", false, false, 287, 399},
        Published{"SqueezeNetReference", kSqueezeNet, "golden/squeezenet_reference.npy", true, true, 288, 399}),
    [](const auto& row) { return row.param.name; });

class RealDataMaxAbs : public RealData, public testing::WithParamInterface<std::pair<Network, double>> {};

// Calibrated on the first 128 images, judged on the rest; every layer int8.
TEST_P(RealDataMaxAbs, LosesAtMostSoManyPoints) {
  const auto& [network, points] = GetParam();
  if (!open(network)) GTEST_SKIP() << skip_;
  const Graph graph = lower(Scheme::kMaxAbs);
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
    const bool output = static_cast<int>(i) == graph.output();
    EXPECT_TRUE(graph.nodes[i].type.dtype != DType::kF32 || output) << graph.nodes[i].name;
  }
  const auto exact = make_engine("cpu", lower_float(bound_), {.batch = kBatch});
  const auto int8 = make_engine("cpu", graph, {.batch = kBatch});
  const AccuracyRun run = judge({exact.get(), int8.get()}, 128);
  EXPECT_EQ(run.rows[0].images, 372);
  EXPECT_GE(100 * (run.rows[1].headline() - run.rows[0].headline()), -points);
}

// The same bits for every batch, thread count and instruction set.
TEST_P(RealDataMaxAbs, LogitsAreIdenticalHoweverTheyAreComputed) {
  if (!open(GetParam().first)) GTEST_SKIP() << skip_;
  const Graph graph = lower(Scheme::kMaxAbs);
  const std::vector<float> expected = logits(*make_engine("cpu", graph, {.batch = 1}), 1);
  for (const KernelInfo& kernel : kernels()) {
    if (kernel.op != "conv" || kernel.types == "f32" || !kernel.usable) continue;
    for (const int workers : {1, 2}) {
      set_threads(workers);
      const auto engine = make_engine("cpu", graph, {.batch = 7, .kernel = kernel.isa});
      EXPECT_EQ(logits(*engine, 7), expected) << kernel.name << ", " << workers << " threads";
    }
  }
  set_threads(0);
}

INSTANTIATE_TEST_SUITE_P(Networks, RealDataMaxAbs,
                         testing::Values(std::pair{kMobileNet, 4.0}, std::pair{kSqueezeNet, 1.0}),
                         [](const auto& row) { return std::string(row.param.first.model); });

}  // namespace
}  // namespace gpueval
