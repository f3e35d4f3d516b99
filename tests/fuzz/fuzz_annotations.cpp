// SPDX-License-Identifier: Apache-2.0
// Truths of any bytes: COCO's JSON, PASCAL VOC's XML or a mask, as the first byte says ('c', 'v' or 'm'), are what the
// formats say, or an Error.
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "gpueval/error.h"
#include "io/data/annotated/coco.h"
#include "io/data/annotated/label_map.h"
#include "io/data/annotated/voc_xml.h"

namespace {

using Bytes = std::span<const std::uint8_t>;

void expect(bool condition) {
  if (!condition) std::abort();
}

bool is_box(const gpueval::Box& box) {
  return std::isfinite(box.x) && std::isfinite(box.y) && box.width >= 0 && box.height >= 0;
}

void fuzz_coco(Bytes bytes) {
  const gpueval::data::CocoFile coco = gpueval::data::read_coco(gpueval::data::MemorySource(bytes, "fuzz.json"));
  std::vector<std::string> classes;
  const gpueval::data::BoxSet set = gpueval::data::coco_boxes(coco, "fuzz.json", classes);
  expect(set.first.size() == coco.images.size() + 1 && set.first.back() == coco.annotations.size());
  expect(classes.size() == coco.categories.size() && set.category_ids.size() == classes.size());
  for (const gpueval::TruthBox& box : set.boxes) {
    expect(is_box(box.box) && box.area >= 0);
    expect(box.category >= 0 && static_cast<std::size_t>(box.category) < classes.size());
  }
}

void fuzz_voc(Bytes bytes) {
  const std::string_view xml(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const gpueval::data::VocAnnotation annotation = gpueval::data::parse_voc_annotation(xml, "fuzz.xml");
  expect(annotation.size.width >= 0 && annotation.size.height >= 0);
  for (const gpueval::data::VocObject& object : annotation.objects) expect(!object.name.empty() && is_box(object.box));
}

// What a picture of millions of pixels costs is no news, and would leave no time for others.
void fuzz_mask(Bytes bytes) {
  const gpueval::data::PictureSize size = gpueval::data::stored_size(bytes);
  if (std::int64_t{size.width} * size.height > 1'000'000) return;
  const gpueval::LabelMap map = gpueval::data::decode_label_map(bytes, "fuzz.png");
  expect(map.width == size.width && map.height == size.height);
  expect(map.classes.size() == static_cast<std::size_t>(map.width) * static_cast<std::size_t>(map.height));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const Bytes rest(bytes + 1, size - 1);
  try {
    if (*bytes == 'c') fuzz_coco(rest);
    if (*bytes == 'v') fuzz_voc(rest);
    if (*bytes == 'm') fuzz_mask(rest);
  } catch (const gpueval::Error&) {
    // Refused, in a sentence: what is wanted of a damaged file.
  }
  return 0;
}
