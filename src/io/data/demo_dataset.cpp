// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "gpueval/dataset.h"
#include "gpueval/error.h"
#include "io/data/demo_images.h"
#include "io/data/demo_scenes.h"

namespace gpueval {
namespace {

// models/demo/demo.h5 was trained on stream 1: other seeds or other pictures need another training.
std::uint64_t seed_of(const std::string& split) {
  if (split == "train") return 1;
  if (split == "test") return 2;
  if (split == "calibration") return 3;
  fail_usage("demo data has no split '{}', expected train, calibration or test", split);
}

class DemoDataset : public Dataset {
 public:
  DemoDataset(const std::string& split, std::size_t count) : split_(split), seed_(seed_of(split)), count_(count) {}
  std::size_t size() const override { return count_; }
  int label(std::size_t index) const override { return data::demo_label(seed_, checked(index)); }
  Image decode(std::size_t index) const override { return data::draw_demo_image(seed_, checked(index)); }
  // Drawn from stream and number, so these two are its content.
  std::uint64_t content_bytes(std::size_t index) const override { return content(index).size(); }
  std::vector<std::uint8_t> content(std::size_t index) const override {
    const std::string text = fmt::format("demo {} {}", seed_, checked(index));
    return {text.begin(), text.end()};
  }
  std::string name(std::size_t index) const override { return fmt::format("demo {} image {}", split_, index); }
  std::string path() const override { return "demo"; }
  std::string kind() const override { return "demo"; }
  bool images_are_cropped() const override { return true; }
  std::string state() const override { return fmt::format("{} {}", split_, count_); }

 protected:
  std::size_t checked(std::size_t index) const {
    GPUEVAL_CHECK(index < count_, "image {} of {}", index, count_);
    return index;
  }
  std::uint64_t seed() const { return seed_; }

 private:
  std::string split_;
  std::uint64_t seed_;
  std::size_t count_;
};

// Pictures of several shapes.
class DemoScenes : public DemoDataset {
 public:
  DemoScenes(const std::string& split, std::size_t count, TruthKind truth) : DemoDataset(split, count), truth_(truth) {}
  int label(std::size_t) const override { return -1; }
  bool labelled() const override { return false; }
  Image decode(std::size_t index) const override { return scene(index).image; }
  std::vector<std::uint8_t> content(std::size_t index) const override {
    const std::string text = fmt::format("demo scene {} {}", seed(), checked(index));
    return {text.begin(), text.end()};
  }
  TruthKind truth() const override { return truth_; }
  LabelMap label_map(std::size_t index) const override { return scene(index).map; }
  std::vector<TruthBox> boxes(std::size_t index) const override { return scene(index).boxes; }
  std::vector<std::string> class_names() const override {
    std::vector<std::string> names(data::kSceneClasses.begin(), data::kSceneClasses.end());
    if (truth_ == TruthKind::kLabelMap) names.insert(names.begin(), "background");
    return names;
  }
  std::string state() const override { return "scenes " + DemoDataset::state(); }

 private:
  data::DemoScene scene(std::size_t index) const { return data::draw_demo_scene(seed(), checked(index)); }
  TruthKind truth_;
};

}  // namespace

std::unique_ptr<Dataset> open_demo(const std::string& split, std::size_t count) {
  return std::make_unique<DemoDataset>(split, count);
}

std::unique_ptr<Dataset> open_demo_boxes(const std::string& split, std::size_t count) {
  return std::make_unique<DemoScenes>(split, count, TruthKind::kBoxes);
}

std::unique_ptr<Dataset> open_demo_masks(const std::string& split, std::size_t count) {
  return std::make_unique<DemoScenes>(split, count, TruthKind::kLabelMap);
}

}  // namespace gpueval
