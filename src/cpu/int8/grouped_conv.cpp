// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/grouped_conv.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "core/threads.h"

namespace gpueval::cpu {
namespace {

template <typename T>
std::span<const T> part_of(std::span<const T> values, int part, int parts) {
  const std::size_t size = values.size() / static_cast<std::size_t>(parts);
  return values.subspan(static_cast<std::size_t>(part) * size, size);
}

class GroupedConv final : public Int8Conv {
 public:
  GroupedConv(const Int8ConvParams& params, const std::string& kernel)
      : desc_(params.desc), dst_bytes_(static_cast<std::int64_t>(size_of(params.dst))) {
    Int8ConvParams own = params;
    own.desc.groups = 1;
    own.desc.c /= desc_.groups;
    own.desc.k /= desc_.groups;
    for (int g = 0; g < desc_.groups; ++g) {
      own.weights = part_of(params.weights, g, desc_.groups);
      own.m = part_of(params.m, g, desc_.groups);
      own.b = part_of(params.b, g, desc_.groups);
      groups_.push_back(make_int8_conv(own, kernel));
    }
  }

  // Each image of each group is a task of one thread, unless that leaves threads without work.
  void run(const Int8ConvArgs& args) const override {
    const std::int64_t tasks = std::int64_t{desc_.groups} * args.n;
    if (tasks < 2 * threads()) {
      for (int g = 0; g < desc_.groups; ++g) run_group(args, g);
      return;
    }
    parallel_for(tasks, [&](std::int64_t task) {
      Int8ConvArgs image = args;
      image.n = 1;
      const std::int64_t index = task % args.n;
      image.src = at(args.src, index * desc_.h * desc_.w * args.src_pitch);
      image.dst = at(args.dst, index * desc_.p() * desc_.q() * args.dst_pitch * dst_bytes_);
      image.residual = at(args.residual, index * desc_.p() * desc_.q() * args.residual_pitch);
      run_group(image, static_cast<int>(task / args.n));
    });
  }
  const std::string& kernel() const override { return groups_.front()->kernel(); }

 private:
  static const void* at(const void* data, std::int64_t offset) {
    return data != nullptr ? static_cast<const std::byte*>(data) + offset : nullptr;
  }
  static void* at(void* data, std::int64_t offset) { return static_cast<std::byte*>(data) + offset; }

  void run_group(Int8ConvArgs args, int group) const {
    const std::int64_t channel = std::int64_t{group} * desc_.group_channels();
    const std::int64_t out = std::int64_t{group} * (desc_.k / desc_.groups);
    args.src = at(args.src, channel);
    args.dst = at(args.dst, out * dst_bytes_);
    args.residual = at(args.residual, out);
    groups_[static_cast<std::size_t>(group)]->run(args);
  }

  ConvDesc desc_;
  std::int64_t dst_bytes_;
  std::vector<std::unique_ptr<Int8Conv>> groups_;
};

}  // namespace

std::unique_ptr<Int8Conv> make_grouped_conv(const Int8ConvParams& params, const std::string& kernel) {
  return std::make_unique<GroupedConv>(params, kernel);
}

}  // namespace gpueval::cpu
