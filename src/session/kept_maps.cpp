// SPDX-License-Identifier: Apache-2.0
#include "session/kept_maps.h"

#include <algorithm>

#include "io/data/encode_picture.h"

namespace gpueval {

void KeptMaps::take(const JudgedImage& image, const Score& pair, std::span<const ImageOutputs> rows) {
  if (task_ == nullptr || plan_.pictures == 0) return;
  const double difference = task_->difference(pair).amount;
  const auto place =
      std::find_if(kept_.begin(), kept_.end(), [&](const Maps& other) { return other.difference < difference; });
  const bool full = kept_.size() == plan_.pictures;
  if (difference <= 0 || (full && place == kept_.end())) return;
  const PictureSize size = shrunk_size({image.height, image.width}, plan_.side);
  const auto map = [&](ImageOutputs outputs) {
    return shrunk(scorer_->label_map(image, outputs), size.height, size.width);
  };
  kept_.insert(place, {image.index, difference, map(rows.front()), map(rows.back())});
  if (full) kept_.pop_back();
}

const KeptMaps::Maps* KeptMaps::of(std::size_t picture) const {
  const auto found =
      std::find_if(kept_.begin(), kept_.end(), [&](const Maps& maps) { return maps.picture == picture; });
  return found == kept_.end() ? nullptr : &*found;
}

}  // namespace gpueval
