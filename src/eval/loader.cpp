// SPDX-License-Identifier: Apache-2.0
#include "eval/loader.h"

#include <algorithm>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "core/stop_signal.h"
#include "core/threads.h"
#include "gpueval/error.h"
#include "io/data/decode_memory.h"

namespace gpueval {

Loader::Loader(const Dataset& data, const Preprocessing& preprocessing, std::size_t first, std::size_t count,
               std::size_t chunk, bool preprocesses)
    : data_(data),
      preprocessing_(preprocessing),
      position_(first),
      end_(first + count),
      chunk_(chunk),
      preprocesses_(preprocesses) {
  GPUEVAL_CHECK(end_ <= data.size() && chunk > 0, "images {} to {} of {}, chunk {}", first, end_, data.size(), chunk);
}

std::size_t Loader::image_elements() const { return preprocessing_.input.elements(); }

void Loader::skip_to(std::size_t image) { position_ = std::min(image, end_); }

// A device that preprocesses gets a whole chunk of decoded pictures, which no budget bounds.
void Loader::check_small(const Image& image, std::size_t index) const {
  constexpr std::size_t kMaxBytes = std::size_t{3} << 22;
  if (image.rgb.size() > kMaxBytes) {
    fail("{}: {} x {} pixels are too many to be resized on the device; use --preprocess-on host", data_.name(index),
         image.width, image.height);
  }
}

bool Loader::next(LoadedChunk& chunk) {
  if (position_ >= end_) return false;
  chunk.first = position_;
  chunk.count = std::min(chunk_, end_ - position_);
  position_ += chunk.count;
  const std::size_t elements = preprocesses_ ? image_elements() : 0;
  chunk.decoded.assign(preprocesses_ ? 0 : chunk.count, {});
  chunk.pixels.resize(chunk.count * elements);
  chunk.placed.assign(chunk.count, {});
  std::vector<std::optional<std::string>> errors(chunk.count);
  parallel_for_dynamic(static_cast<std::int64_t>(chunk.count), [&](std::int64_t task) {
    const auto i = static_cast<std::size_t>(task);
    try {
      if (preprocessing_.as_it_is) {
        const std::span<float> dst = std::span(chunk.pixels).subspan(i * elements, elements);
        data_.read(chunk.first + i, dst);
        preprocessing_.normalize_array(dst);
        return;
      }
      const data::DecodeMemory memory;  // until the picture is the size of the network's input
      Image image = data_.decode(chunk.first + i);
      PlacedImage& placed = chunk.placed[i];
      placed = {image.height, image.width};
      if (!preprocesses_) {
        check_small(image, chunk.first + i);
        placed.geometry = preprocessing_.geometry(image.height, image.width);
        chunk.decoded[i] = std::move(image);
        return;
      }
      placed.geometry = preprocessing_.apply(image, std::span(chunk.pixels).subspan(i * elements, elements));
    } catch (const BadImage& error) {  // whatever else is thrown says nothing about the image, and ends the run
      errors[i] = error.what();
    } catch (const std::bad_alloc&) {
      fail("{}: not enough memory to decode it; fewer --threads need less", data_.name(chunk.first + i));
    }
  });

  chunk.images.clear();
  chunk.skipped.clear();
  for (std::size_t i = 0; i < chunk.count; ++i) {
    const std::size_t index = chunk.first + i;
    if (errors[i]) {
      chunk.skipped.push_back({index, data_.name(index), *errors[i]});
      continue;
    }
    const std::size_t kept = chunk.images.size();
    if (kept != i) {  // close the gap that a skipped image left
      std::copy_n(chunk.pixels.begin() + static_cast<std::ptrdiff_t>(i * elements), elements,
                  chunk.pixels.begin() + static_cast<std::ptrdiff_t>(kept * elements));
      if (!preprocesses_) chunk.decoded[kept] = std::move(chunk.decoded[i]);
      chunk.placed[kept] = chunk.placed[i];
    }
    chunk.images.push_back(index);
  }
  chunk.pixels.resize(chunk.images.size() * elements);
  chunk.placed.resize(chunk.images.size());
  if (!preprocesses_) chunk.decoded.resize(chunk.images.size());
  return true;
}

std::function<int(std::vector<float>&, int)> image_source(const Dataset& data, const Preprocessing& preprocessing,
                                                          std::size_t first, std::size_t count,
                                                          std::vector<SkippedImage>* skipped) {
  return [&data, preprocessing, skipped, count, position = first, end = first + count, any = false,
          first_reason = std::string()](std::vector<float>& batch, int max_images) mutable {
    LoadedChunk chunk;
    while (chunk.images.empty() && position < end) {
      stop_point();
      Loader loader(data, preprocessing, position, end - position, static_cast<std::size_t>(max_images));
      loader.next(chunk);
      position += chunk.count;
      if (skipped != nullptr) skipped->insert(skipped->end(), chunk.skipped.begin(), chunk.skipped.end());
      if (first_reason.empty() && !chunk.skipped.empty()) first_reason = chunk.skipped.front().reason;
    }
    any = any || !chunk.images.empty();
    if (!any) {
      fail("{}: none of the {} images could be decoded{}{}", data.path(), count,
           first_reason.empty() ? "" : "; the first: ", first_reason);
    }
    batch = std::move(chunk.pixels);
    return static_cast<int>(chunk.images.size());
  };
}

}  // namespace gpueval
