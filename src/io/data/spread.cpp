// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <utility>

#include "core/random.h"
#include "gpueval/error.h"
#include "gpueval/selection.h"

namespace gpueval {
namespace {

using Indices = std::vector<std::size_t>;

std::size_t below(Random& random, std::size_t end) { return static_cast<std::size_t>(random.next() % end); }

template <typename T>
void shuffle(std::vector<T>& values, Random& random) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(random, i)]);
}

std::map<int, Indices> images_by_class(const Dataset& data) {
  std::map<int, Indices> classes;
  for (std::size_t i = 0; i < data.size(); ++i) classes[data.labelled() ? data.label(i) : 0].push_back(i);
  return classes;
}

// One image of each of `count` equal stretches of the list, in random order.
Indices one_a_stretch(const Indices& images, std::size_t count, Random& random) {
  Indices result;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = i * images.size() / count, end = (i + 1) * images.size() / count;
    result.push_back(images[begin + below(random, end - begin)]);
  }
  shuffle(result, random);
  return result;
}

// How many of each class: one more of each in turn until there are `count`.
Indices shares(const std::vector<Indices>& classes, std::size_t count) {
  Indices result(classes.size(), 0);
  while (count > 0) {
    for (std::size_t i = 0; i < classes.size() && count > 0; ++i) {
      if (result[i] == classes[i].size()) continue;
      ++result[i];
      --count;
    }
  }
  return result;
}

}  // namespace

std::size_t class_count(const Dataset& data) { return data.labelled() ? images_by_class(data).size() : 0; }

std::vector<std::size_t> spread_indices(const Dataset& data, std::size_t count, std::uint64_t seed) {
  GPUEVAL_CHECK(count <= data.size(), "{} images of {} that {} has", count, data.size(), data.path());
  Random random(seed);
  std::vector<Indices> classes;
  for (auto& [label, images] : images_by_class(data)) classes.push_back(std::move(images));
  shuffle(classes, random);  // which classes get one more, or one at all
  const Indices share = shares(classes, count);
  std::vector<Indices> chosen;
  for (std::size_t i = 0; i < classes.size(); ++i) chosen.push_back(one_a_stretch(classes[i], share[i], random));
  Indices result;
  for (std::size_t turn = 0; result.size() < count; ++turn) {
    for (const Indices& images : chosen) {
      if (turn < images.size()) result.push_back(images[turn]);
    }
  }
  return result;
}

}  // namespace gpueval
