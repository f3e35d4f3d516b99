// SPDX-License-Identifier: Apache-2.0
// The boxes that a single-shot detector's outputs are offsets from, and what becomes of its outputs. Source: Liu et
// al., "SSD: Single Shot MultiBox Detector", 2016; docs/priors-schema.json has the file's form.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace gpueval {

// Centre and extents, in parts of the network's input.
struct Prior {
  float cx = 0, cy = 0, width = 0, height = 0;
  bool operator==(const Prior&) const = default;
};

enum class ScoreForm {
  kProbabilities,  // scores are what the network's file gives
  kSigmoid,        // they are logits, of each class by itself
  kSoftmax,        // they are logits of all classes together
};
enum class Background { kNone, kFirst, kLast };  // where scores have a class of no object

struct Priors {
  std::string name;
  int input_height = 0, input_width = 0;                   // that they are for
  std::vector<Prior> boxes;                                // in the order of the outputs
  std::array<float, 4> variances{0.1f, 0.1f, 0.2f, 0.2f};  // of x, y, width, height
  std::string boxes_output, scores_output;                 // names; empty: told by their shapes
  std::vector<std::string> classes;                        // without the background
  std::vector<int> category_ids;                           // in result files; empty: 1, 2, ...
  Background background = Background::kNone;
  ScoreForm scores = ScoreForm::kProbabilities;
  double score_threshold = 0.01;      // scores must be above
  double nms_threshold = 0.45;        // of two boxes of a class with a larger IoU the one of the lower score goes
  std::size_t keep_before_nms = 400;  // a class; 0: all
  std::size_t keep = 0;               // a picture, behind NMS; 0: all

  int score_channels() const { return static_cast<int>(classes.size()) + (background == Background::kNone ? 0 : 1); }
};

// JSON text. Error naming `name`, the field, what it has to be and what it is.
Priors parse_priors(const std::string& text, const std::string& name);
// A file, or else embedded ones by their name, with or without ".json". Error that lists those for neither.
Priors read_priors(const std::string& name_or_file);
std::vector<std::string> embedded_priors();

}  // namespace gpueval
