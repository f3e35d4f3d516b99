// SPDX-License-Identifier: Apache-2.0
// Guards against: a COCO file of hundreds of megabytes of masks that takes as much memory.
#include <malloc.h>

#include "io/annotated_files.h"
#include "io/data/annotated/coco.h"

namespace gpueval {
namespace {

// A file that is made as it is read: one image and its object a block, most of which is a polygon.
class PolygonFile : public data::ByteSource {
 public:
  explicit PolygonFile(std::uint64_t blocks) : ByteSource("polygons.json"), blocks_(blocks) {
    polygon_ = "\"segmentation\": [[";
    while (polygon_.size() < 4000) polygon_ += "123.25, 87.5, ";
    polygon_ += "1]]";
    whole_ =
        R"({"categories": [{"id": 1, "name": "a"}], "images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [)";
  }
  std::uint64_t size() const override { return whole_.size() + blocks_ * kBlock; }
  void read(std::uint64_t offset, std::span<std::uint8_t> dst) const override {
    for (std::uint8_t& byte : dst) byte = static_cast<std::uint8_t>(byte_at(offset++));
  }

 private:
  static constexpr std::uint64_t kBlock = 4200;
  char byte_at(std::uint64_t at) const {
    if (at < whole_.size()) return whole_[at];
    const std::uint64_t block = (at - whole_.size()) / kBlock, inside = (at - whole_.size()) % kBlock;
    if (inside == 0) {
      text_ = "{" + polygon_ + R"(, "bbox": [1, 2, 3, 4], "image_id": 1, "category_id": 1, "id": )" +
              std::to_string(block) + (block + 1 == blocks_ ? "}]}" : "},");
      text_.resize(kBlock, ' ');
    }
    return text_[inside];
  }

  std::uint64_t blocks_;
  std::string polygon_, whole_;
  mutable std::string text_;
};

TEST(CocoBig, MasksTakeNoMemory) {
  constexpr std::uint64_t kBlocks = 5000;  // 21 MB
  const PolygonFile file(kBlocks);
  ASSERT_GT(file.size(), 20'000'000u);
  std::size_t most = 0;
  // What is held while the file is read shows in the blocks that it asks for.
  class Watched : public data::ByteSource {
   public:
    Watched(const PolygonFile& inner, std::size_t& peak) : ByteSource(inner.name()), inner_(inner), peak_(peak) {}
    std::uint64_t size() const override { return inner_.size(); }
    void read(std::uint64_t offset, std::span<std::uint8_t> dst) const override {
      const struct mallinfo2 heap = mallinfo2();
      peak_ = std::max(peak_, heap.uordblks + heap.hblkhd);
      inner_.read(offset, dst);
    }

   private:
    const PolygonFile& inner_;
    std::size_t& peak_;
  } watched(file, most);
  const struct mallinfo2 heap = mallinfo2();
  const std::size_t before = heap.uordblks + heap.hblkhd;
  const data::CocoFile coco = data::read_coco(watched);
  EXPECT_EQ(coco.annotations.size(), kBlocks);
#ifndef __SANITIZE_ADDRESS__  // whose heap is another one
  EXPECT_GT(most, before);
  EXPECT_LT(most - before, 3'000'000u) << "a block, and 72 bytes an object";
#endif
}

}  // namespace
}  // namespace gpueval
