// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace gpueval::data {

struct ImageNetClass {
  std::string_view synset, name;  // "n01440764", "tench"
};

// The 1,000 classes in Keras's order, which is that of their WordNet ids. Three names stand twice: crane, maillot and,
// but for its case, cardigan.
std::span<const ImageNetClass, 1000> imagenet_classes();

bool is_synset(std::string_view word);                 // "n" and eight digits
std::optional<int> class_of_synset(std::string_view);  // nullopt: not one of the 1,000
std::optional<int> class_of_name(std::string_view);    // any case, '_' for ' '; nullopt: none, or more than one

}  // namespace gpueval::data
