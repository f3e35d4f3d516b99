// SPDX-License-Identifier: Apache-2.0
// One line of a ground-truth list.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gpueval::data {

struct LabelLine {
  std::string name;   // empty: the line has a label only
  std::string label;  // as written, without quotes
};

// "name label", separated by blanks, tabs, commas or semicolons, either of them quoted or not; a label alone; or
// Kaggle's "name,synset x y x y ...", where every box must have the same class. The last word is the label: names may
// hold blanks.
LabelLine split_label_line(std::string_view line);

// "617"; nullopt for signs, fractions, words and what is beyond an int.
std::optional<int> parse_class_id(std::string_view text);

// "val/x.JPEG" and "x.png" -> "x": what a list and a folder agree on. Only the extensions of pictures are taken off.
std::string_view base_name(std::string_view name);
std::string_view without_picture_extension(std::string_view name);
bool has_decoded_extension(std::string_view name);  // of the pictures that are data: .jpg, .jpeg, .png
bool has_picture_extension(std::string_view name);

}  // namespace gpueval::data
