// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "gpueval/error.h"
#include "io/data/annotated/coco_parser.h"

namespace gpueval::data {
namespace {

// A source's bytes, a megabyte at a time.
class Blocks {
 public:
  explicit Blocks(const ByteSource& source) : source_(source) { fill(); }
  bool done() const { return at_ == block_.size(); }
  char byte() const { return static_cast<char>(block_[at_]); }
  void next() {
    if (++at_ == block_.size()) fill();
  }

 private:
  void fill() {
    constexpr std::uint64_t kBlock = 1 << 20;
    block_.resize(std::min(kBlock, source_.size() - read_));
    source_.read(read_, block_);
    read_ += block_.size();
    at_ = 0;
  }
  const ByteSource& source_;
  std::vector<std::uint8_t> block_;
  std::size_t at_ = 0;
  std::uint64_t read_ = 0;
};

// The iterator of one pass that nlohmann's parser asks for; one without blocks is the end.
struct BlockBytes {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  Blocks* blocks = nullptr;
  char operator*() const { return blocks->byte(); }
  BlockBytes& operator++() {
    blocks->next();
    return *this;
  }
  BlockBytes operator++(int) { return ++*this; }
  bool operator==(const BlockBytes& other) const {
    const auto ended = [](const BlockBytes& bytes) { return bytes.blocks == nullptr || bytes.blocks->done(); };
    return ended(*this) == ended(other);
  }
};

}  // namespace

CocoFile read_coco(const ByteSource& source) {
  CocoParser parser(source.name());
  Blocks blocks(source);
  nlohmann::json::sax_parse(BlockBytes{&blocks}, BlockBytes{}, &parser);
  return parser.finish();
}

}  // namespace gpueval::data
