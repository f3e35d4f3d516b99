// SPDX-License-Identifier: Apache-2.0
#include "io/data/imagenet_classes.h"

#include <algorithm>
#include <cctype>

namespace gpueval::data {
namespace {

constexpr ImageNetClass kClasses[1000] = {
#include "io/data/imagenet_classes.inc"
};

char plain(char c) { return c == '_' ? ' ' : static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

}  // namespace

std::span<const ImageNetClass, 1000> imagenet_classes() { return kClasses; }

bool is_synset(std::string_view word) {
  return word.size() == 9 && word[0] == 'n' && word.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

std::optional<int> class_of_synset(std::string_view synset) {
  const auto* found =
      std::lower_bound(std::begin(kClasses), std::end(kClasses), synset,
                       [](const ImageNetClass& entry, std::string_view wanted) { return entry.synset < wanted; });
  if (found == std::end(kClasses) || found->synset != synset) return std::nullopt;
  return static_cast<int>(found - std::begin(kClasses));
}

std::optional<int> class_of_name(std::string_view name) {
  std::optional<int> result;
  for (int id = 0; const ImageNetClass& entry : kClasses) {
    if (std::equal(name.begin(), name.end(), entry.name.begin(), entry.name.end(),
                   [](char a, char b) { return plain(a) == plain(b); })) {
      if (result) return std::nullopt;
      result = id;
    }
    ++id;
  }
  return result;
}

}  // namespace gpueval::data
