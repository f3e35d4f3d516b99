// SPDX-License-Identifier: Apache-2.0
// Guards against: a COCO file of hundreds of megabytes of masks that takes as much memory.
#include <malloc.h>

#include "io/annotated_files.h"
#include "io/data/annotated/coco.h"

namespace gpueval {
namespace {

// A file that is made as it is read: an object a block, most of which is a polygon.
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
    while (!dst.empty()) {
      const bool first = offset < whole_.size();
      const std::uint64_t block = first ? 0 : (offset - whole_.size()) / kBlock;
      const std::string text = first ? whole_ : object(block);
      const std::size_t inside = first ? offset : (offset - whole_.size()) % kBlock;
      const std::size_t count = std::min(dst.size(), text.size() - inside);
      std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(inside), count, dst.begin());
      dst = dst.subspan(count);
      offset += count;
    }
  }

 private:
  static constexpr std::uint64_t kBlock = 4200;
  std::string object(std::uint64_t block) const {
    std::string text = "{" + polygon_ + R"(, "bbox": [1, 2, 3, 4], "image_id": 1, "category_id": 1, "id": )" +
                       std::to_string(block) + (block + 1 == blocks_ ? "}]}" : "},");
    text.resize(kBlock, ' ');
    return text;
  }

  std::uint64_t blocks_;
  std::string polygon_, whole_;
};

TEST(CocoBig, MasksTakeNoMemory) {
#ifdef __SANITIZE_ADDRESS__  // slower, and its heap is another one
  constexpr std::uint64_t kBlocks = 500;
#else
  constexpr std::uint64_t kBlocks = 5000;  // 21 MB
#endif
  const PolygonFile file(kBlocks);
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
  [[maybe_unused]] const std::size_t before = heap.uordblks + heap.hblkhd;
  const data::CocoFile coco = data::read_coco(watched);
  EXPECT_EQ(coco.annotations.size(), kBlocks);
#ifndef __SANITIZE_ADDRESS__
  EXPECT_GT(most, before);
  EXPECT_LT(most - before, 3'000'000u) << "a block, and 72 bytes an object";
#endif
}

}  // namespace
}  // namespace gpueval
