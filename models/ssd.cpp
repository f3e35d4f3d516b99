// SPDX-License-Identifier: Apache-2.0
#include "models/ssd.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "models/class_count.h"

namespace gpueval {
namespace {

constexpr int kVocClasses = 21;  // the first is the background

class Ssd {
 public:
  Ssd(const SsdLayout& layout, const ModelOptions& options)
      : layout_(layout),
        options_(options),
        classes_(class_count(layout.name, options.variant, kVocClasses)),
        g_(layout.name) {}

  Graph build() {
    trunk();
    extra_layers();
    for (const SsdSource& source : layout_.sources) heads(source);
    return g_.finish({{"mbox_loc", g_.concat("mbox_loc", locations_, Axis::kH)},
                      {"mbox_conf", g_.concat("mbox_conf", scores_, Axis::kH)}});
  }

 private:
  static constexpr GraphBuilder::ConvOptions kSame{.pad = Pad::kSame};

  int conv(const std::string& name, int filters, int kernel, const GraphBuilder::ConvOptions& how = kSame) {
    x_ = g_.conv2d(name, x_, thinned(filters, options_), kernel, kernel, how);
    return maps_[name] = x_ = g_.relu(name + "_relu", x_);
  }

  void block(int index, int filters, int convolutions, int pool, int stride) {
    for (int i = 1; i <= convolutions; ++i) conv(fmt::format("conv{}_{}", index, i), filters, 3);
    x_ = g_.max_pool(fmt::format("pool{}", index), x_, pool, stride, Pad::kSame);
  }

  void trunk() {
    x_ = g_.input(options_.height_or(layout_.side), options_.width_or(layout_.side), 3);
    block(1, 64, 2, 2, 2);
    block(2, 128, 2, 2, 2);
    block(3, 256, 3, 2, 2);
    block(4, 512, 3, 2, 2);
    block(5, 512, 3, 3, 1);
    maps_["conv4_3_norm"] =
        g_.normalize("conv4_3_norm", maps_.at("conv4_3"), {NormalizeKind::kL2, 1e-12f}, true, false);
    conv("fc6", 1024, 3, {.pad = Pad::kSame, .dilation = 6});
    conv("fc7", 1024, 1);
  }

  // A 1x1 convolution, and one that makes the map smaller.
  void reduce(int index, int filters, int kernel, int stride, bool padded) {
    conv(fmt::format("conv{}_1", index), filters / 2, 1);
    if (padded) x_ = g_.zero_pad(fmt::format("conv{}_padding", index), x_, {1, 1, 1, 1});
    conv(fmt::format("conv{}_2", index), filters, kernel, {.stride = stride});
  }

  void extra_layers() {
    const bool large = layout_.sources.size() == 7;
    reduce(6, 512, 3, 2, true);
    reduce(7, 256, 3, 2, true);
    for (const int index : {8, 9}) reduce(index, 256, 3, large ? 2 : 1, large);
    if (large) reduce(10, 256, 4, 1, true);
  }

  // One row a prior: (h, w, boxes * each) has them in this order.
  int head(const SsdSource& source, const char* kind, int each) {
    const std::string name = source.layer + kind;
    const int map = g_.conv2d(name, maps_.at(source.layer), source.boxes * each, 3, 3, kSame);
    const Shape shape = g_.shape(map);
    return g_.reshape(name + "_reshape", map, {shape.h * shape.w * source.boxes, 1, each});
  }

  void heads(const SsdSource& source) {
    scores_.push_back(head(source, "_mbox_conf", classes_));
    locations_.push_back(head(source, "_mbox_loc", 4));
  }

  const SsdLayout& layout_;
  const ModelOptions& options_;
  const int classes_;
  GraphBuilder g_;
  int x_ = -1;
  std::map<std::string, int> maps_;
  std::vector<int> locations_, scores_;
};

}  // namespace

ModelSpec ssd_model(const SsdLayout& layout) {
  const auto detect = [first = layout.sources.front()](const WeightFile& file) {
    return class_variant(filters_of(file, first.layer + "_mbox_conf") / first.boxes, kVocClasses);
  };
  return {.name = layout.name,
          .description = layout.description,
          .build = [layout](const ModelOptions& options) { return Ssd(layout, options).build(); },
          .input = {layout.side, layout.side, Normalization::mean_std({123, 117, 104}, {1, 1, 1}).in_bgr()},
          .labels = {kVocClasses, false},
          .truth = TruthKind::kBoxes,
          .fit = Fit::kSquash,
          .priors = layout.name,
          .detect_variant = detect,
          .weight_files = [files = layout.weight_files](const ModelOptions&) { return files; },
          .published_at = "the README of ssd_keras, https://github.com/pierluigiferrari/ssd_keras"};
}

}  // namespace gpueval
