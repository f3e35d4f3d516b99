// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/json_fields.h"
#include "gpueval/error.h"
#include "gpueval/priors.h"
#include "task/detection/cell_boxes.h"

namespace gpueval {
namespace {

constexpr std::int64_t kMostCells = 4096, kMostCellBoxes = 64;
constexpr std::size_t kMostPriors = 10'000'000, kMostClasses = 10'000;

std::string choice(const JsonFields& json, const char* key, std::initializer_list<const char*> values) {
  if (!json.has(key)) return *values.begin();
  std::string names;
  for (const char* value : values) {
    if (json.text(key) == value) return value;
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", value);
  }
  json.refuse(key, "one of " + names);
}

class PriorsParser {
 public:
  explicit PriorsParser(const JsonFields& json) : json_(json) {}

  Priors parse() {
    json_.only({"name", "input", "maps", "order", "unit", "offset", "clip", "variances", "outputs", "classes",
                "category_ids", "background", "scores", "score_threshold", "nms_threshold", "keep_before_nms", "keep"});
    priors_.name = json_.text("name");
    const std::vector<double> input = numbers_above(json_, "input", 2, 0);
    priors_.input_height = static_cast<int>(input[0]);
    priors_.input_width = static_cast<int>(input[1]);
    read_maps();
    const std::vector<double> variances = numbers_above(json_, "variances", 4, 0);
    for (std::size_t i = 0; i < 4; ++i) priors_.variances[i] = static_cast<float>(variances[i]);
    if (json_.has("outputs")) {
      const JsonFields outputs = json_.object("outputs");
      outputs.only({"boxes", "scores"});
      priors_.boxes_output = outputs.text("boxes");
      priors_.scores_output = outputs.text("scores");
    }
    read_classes();
    read_thresholds();
    return std::move(priors_);
  }

 private:
  void read_maps() {
    const std::string order = choice(json_, "order", {"sizes-then-ratios", "by-size", "by-ratio"});
    pixels_ = choice(json_, "unit", {"relative", "pixels"}) == "pixels";
    offset_ = json_.has("offset") ? json_.number("offset") : 0.5;
    clip_ = json_.has("clip") && json_.flag("clip");
    const std::vector<JsonFields> maps = json_.objects("maps");
    if (maps.empty()) json_.refuse("maps", "at least one map");
    for (const JsonFields& map : maps) read_map(map, order);
  }

  void read_map(const JsonFields& map, const std::string& order) {
    map.only({"cells", "step", "sizes", "ratios", "boxes"});
    const std::vector<double> cells = numbers_above(map, "cells", 2, 0);
    if (cells[0] > kMostCells || cells[1] > kMostCells) map.refuse("cells", fmt::format("at most {}", kMostCells));
    const std::vector<CellBox> boxes = cell_boxes(map, order);
    if (std::ssize(boxes) > kMostCellBoxes) map.refuse("sizes", fmt::format("at most {} boxes a cell", kMostCellBoxes));
    const double height = priors_.input_height, width = priors_.input_width;
    std::vector<double> step{height / cells[0], width / cells[1]};
    if (map.has("step")) step = numbers_above(map, "step", 2, 0);
    if (priors_.boxes.size() + static_cast<std::size_t>(cells[0] * cells[1]) * boxes.size() > kMostPriors)
      map.refuse("cells", fmt::format("at most {} priors together", kMostPriors));
    for (int y = 0; y < static_cast<int>(cells[0]); ++y) {
      for (int x = 0; x < static_cast<int>(cells[1]); ++x) {
        for (const CellBox& box : boxes) {
          add((x + offset_) * step[1] / width, (y + offset_) * step[0] / height,
              pixels_ ? box.width / width : box.width, pixels_ ? box.height / height : box.height);
        }
      }
    }
  }

  void add(double cx, double cy, double width, double height) {
    if (clip_) {
      const auto cut = [](double v) { return std::min(1.0, std::max(0.0, v)); };
      const double x1 = cut(cx - width / 2), x2 = cut(cx + width / 2);
      const double y1 = cut(cy - height / 2), y2 = cut(cy + height / 2);
      cx = (x1 + x2) / 2, cy = (y1 + y2) / 2, width = x2 - x1, height = y2 - y1;
    }
    priors_.boxes.push_back(
        {static_cast<float>(cx), static_cast<float>(cy), static_cast<float>(width), static_cast<float>(height)});
  }

  void read_classes() {
    priors_.classes = json_.texts("classes");
    const std::set<std::string> names(priors_.classes.begin(), priors_.classes.end());
    if (names.empty() || names.size() != priors_.classes.size() || names.size() > kMostClasses)
      json_.refuse("classes", "the names of the classes, each once, without the background");
    if (json_.has("category_ids")) {
      for (const double id : numbers_above(json_, "category_ids", priors_.classes.size(), -1))
        priors_.category_ids.push_back(static_cast<int>(id));
    }
    const std::string background = choice(json_, "background", {"none", "first", "last"});
    priors_.background = background == "none"    ? Background::kNone
                         : background == "first" ? Background::kFirst
                                                 : Background::kLast;
    const std::string scores = choice(json_, "scores", {"probabilities", "sigmoid", "softmax"});
    priors_.scores = scores == "sigmoid"   ? ScoreForm::kSigmoid
                     : scores == "softmax" ? ScoreForm::kSoftmax
                                           : ScoreForm::kProbabilities;
  }

  double part(const char* key, double usual) const {
    const double value = json_.has(key) ? json_.number(key) : usual;
    if (!(value >= 0 && value <= 1)) json_.refuse(key, "a number from 0 to 1");
    return value;
  }

  void read_thresholds() {
    priors_.score_threshold = part("score_threshold", priors_.score_threshold);
    priors_.nms_threshold = part("nms_threshold", priors_.nms_threshold);
    const auto count = [&](const char* key, std::size_t usual) {
      return json_.has(key) ? static_cast<std::size_t>(json_.integer(key, 0, 1'000'000)) : usual;
    };
    priors_.keep_before_nms = count("keep_before_nms", priors_.keep_before_nms);
    priors_.keep = count("keep", priors_.keep);
  }

  const JsonFields& json_;
  Priors priors_;
  bool pixels_ = false, clip_ = false;
  double offset_ = 0.5;
};

}  // namespace

Priors parse_priors(const std::string& text, const std::string& name) {
  nlohmann::json json;
  try {
    json = nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    fail("{}: is no JSON: {}", name, error.what());
  }
  return PriorsParser(JsonFields(json, name)).parse();
}

}  // namespace gpueval
