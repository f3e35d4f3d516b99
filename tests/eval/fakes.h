// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "gpueval/dataset.h"
#include "gpueval/engine.h"
#include "gpueval/error.h"
#include "gpueval/preprocessing.h"

namespace gpueval::test {

constexpr int kSide = 4;      // pixels of a fake image
constexpr int kClasses = 10;  // of a fake engine
inline InputSpec fake_input() { return {kSide, kSide, Normalization::kTf}; }

// Image i is a plain grey of value i % 251; its label is i % 10.
class FakeDataset : public Dataset {
 public:
  explicit FakeDataset(std::size_t count, std::set<std::size_t> corrupt = {})
      : count_(count), corrupt_(std::move(corrupt)) {}
  std::size_t size() const override { return count_; }
  int label(std::size_t index) const override { return static_cast<int>(index % kClasses); }
  Image decode(std::size_t index) const override {
    if (corrupt_.contains(index)) throw BadImage(fmt::format("image {}: not a JPEG", index));
    return {kSide, kSide, std::vector<std::uint8_t>(kSide * kSide * 3, static_cast<std::uint8_t>(index % 251))};
  }
  std::string name(std::size_t index) const override { return fmt::format("image {}", index); }
  std::string path() const override { return "fake"; }
  std::string kind() const override { return "pickle"; }
  bool images_are_cropped() const override { return true; }
  std::string state() const override { return fmt::format("{} images", count_); }

 private:
  std::size_t count_;
  std::set<std::size_t> corrupt_;
};

// Calls `answer` with the image's grey value for its logits.
class FakeEngine : public Engine {
 public:
  using Answer = std::function<void(int grey, std::span<float> logits)>;
  explicit FakeEngine(Answer answer = {}, std::vector<GraphOutput> outputs = {{"logits", 1}})
      : answer_(std::move(answer)) {
    Node input{.name = "input", .op = Input{}, .shape = {1, kSide, kSide, 3}};
    Node logits{.name = "logits", .op = Dense{}, .inputs = {0}, .shape = {1, 1, 1, kClasses}};
    graph_ = {"fake", {input, logits}, std::move(outputs)};
    layers_ = {{.name = "a"}, {.name = "b"}};
  }
  void run(std::span<const float> input, int n, Outputs outputs) override {
    check_outputs(graph_, n, outputs);
    ++runs;
    if (on_run) on_run();
    for (int i = 0; i < n && answer_; ++i) {
      const float x = input[static_cast<std::size_t>(i) * kSide * kSide * 3];
      const int grey = static_cast<int>((x + 1) * 127.5f + 0.5f);
      answer_(grey, outputs[0].subspan(static_cast<std::size_t>(i) * kClasses, kClasses));
    }
  }
  void run_tapped(std::span<const float> input, int n, Outputs outputs, const LayerTap&) override {
    run(input, n, outputs);
  }
  void run_timed(std::span<const float>, int n, Outputs outputs, std::span<double> seconds) override {
    check_outputs(graph_, n, outputs);
    ++runs;
    seconds[0] += runs == 1 ? 100 : 0.001 * runs;  // the first run is slow
    seconds[1] += 0.5;
  }
  const std::vector<LayerInfo>& layers() const override { return layers_; }
  const Graph& graph() const override { return graph_; }
  std::string device() const override { return "fake"; }
  std::size_t arena_bytes() const override { return 0; }

  int runs = 0;
  std::function<void()> on_run;

 private:
  Answer answer_;
  Graph graph_;
  std::vector<LayerInfo> layers_;
};

// The same with a pipeline of two batches.
class FakePipelinedEngine : public FakeEngine, Pipeline {
 public:
  using FakeEngine::FakeEngine;
  Pipeline* pipeline() override { return this; }
  int depth() const override { return 2; }
  void submit(std::span<const float> input, int n) override {
    if (under_way.size() == 2) fail("three batches under way");
    under_way.push_back({{input.begin(), input.end()}, n});
    most_under_way = std::max(most_under_way, under_way.size());
  }
  void collect(Outputs outputs) override {
    const Batch oldest = under_way.at(0);
    under_way.erase(under_way.begin());
    run(oldest.input, oldest.n, outputs);
  }

  struct Batch {
    std::vector<float> input;
    int n;
  };
  std::vector<Batch> under_way;
  std::size_t most_under_way = 0;
};

// One-hot logits for the class that choose(grey) names, with the grey value in class 0 so that every image's logits
// differ.
inline FakeEngine::Answer answer(std::function<int(int)> choose) {
  return [choose](int grey, std::span<float> logits) {
    for (float& value : logits) value = static_cast<float>(grey) / 1000;
    logits[static_cast<std::size_t>(choose(grey))] = 5;
  };
}

}  // namespace gpueval::test
