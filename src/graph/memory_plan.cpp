// SPDX-License-Identifier: Apache-2.0
#include "graph/memory_plan.h"

#include <algorithm>
#include <numeric>

#include "core/round_up.h"
#include "graph/op_row.h"

namespace gpueval {
namespace {

constexpr std::int64_t kAlignment = 256;  // what device memory promises

std::int64_t pitch_of(const Node& node, PitchRule rule) {
  if (rule == PitchRule::kDense || !is_integer(node.type.dtype)) return node.shape.c;
  return node.shape.c <= 4 ? 4 : round_up(node.shape.c, 16);
}

// Owner of a node's bytes and the tensor's channel offset in it, through nested concats.
struct Owner {
  int root;
  std::int64_t channel;
};
Owner owner_of(const Graph& graph, int node) {
  Owner owner{node, 0};
  while (graph.node(owner.root).slice_of >= 0) {
    const Node& slice = graph.node(owner.root);
    owner.channel += slice.slice_offset;
    owner.root = slice.slice_of;
  }
  return owner;
}

struct Block {
  int node;
  std::int64_t bytes, offset;
  int first, last;
  bool kept = false;            // read after the last step: an output of the graph
  std::vector<int> steps = {};  // that write or read it
};

bool all_before(const Block& a, const Block& b, const StepsBefore& before) {
  if (!before) return a.last < b.first;
  if (a.kept) return false;
  return std::all_of(a.steps.begin(), a.steps.end(), [&](int i) {
    return std::all_of(b.steps.begin(), b.steps.end(), [&](int j) { return before(i, j); });
  });
}

std::int64_t lowest_free_offset(const std::vector<Block>& placed, const Block& block, const StepsBefore& before) {
  std::vector<const Block*> rivals;  // alive together, by offset
  for (const Block& other : placed) {
    if (!all_before(block, other, before) && !all_before(other, block, before)) rivals.push_back(&other);
  }
  std::sort(rivals.begin(), rivals.end(), [](const Block* a, const Block* b) { return a->offset < b->offset; });
  std::int64_t offset = 0;
  for (const Block* other : rivals) {
    if (offset + block.bytes <= other->offset) break;
    offset = std::max(offset, other->offset + other->bytes);
  }
  return offset;
}

}  // namespace

MemoryPlan plan_memory(const Graph& graph, int batch, PitchRule pitch, const StepsBefore& before, const Chunks& chunks,
                       std::span<const ExtraWrite> extra) {
  const std::size_t count = graph.nodes.size();
  MemoryPlan plan;
  plan.tensors.resize(count);
  std::vector<Block> blocks(count, Block{-1, 0, 0, static_cast<int>(count), 0});
  for (std::size_t i = 0; i < count; ++i) {
    const int step = static_cast<int>(i);
    const Owner owner = owner_of(graph, step);
    const auto root = static_cast<std::size_t>(owner.root);
    plan.tensors[i].root = owner.root;
    plan.tensors[i].pitch = pitch_of(graph.nodes[root], pitch);
    plan.tensors[i].offset = owner.channel * static_cast<std::int64_t>(size_of(graph.nodes[root].type.dtype));
    blocks[root].first = std::min(blocks[root].first, step);
    blocks[root].last = std::max(blocks[root].last, graph.is_output(step) ? static_cast<int>(count) : step);
    blocks[root].kept = blocks[root].kept || graph.is_output(step);
    blocks[root].steps.push_back(step);
    for (const int input : graph.nodes[i].inputs) {
      Block& read = blocks[static_cast<std::size_t>(owner_of(graph, input).root)];
      read.last = std::max(read.last, step);
      read.steps.push_back(step);
    }
  }
  for (const auto& [step, tensor] : extra) {
    Block& written = blocks[static_cast<std::size_t>(owner_of(graph, tensor).root)];
    written.first = std::min(written.first, step);
    written.last = std::max(written.last, step);
    written.steps.push_back(step);
  }
  std::vector<Block> order;
  for (std::size_t i = 0; i < count; ++i) {
    const Node& node = graph.nodes[i];
    if (node.slice_of >= 0 || std::holds_alternative<Input>(node.op)) continue;
    const bool of_chunk = chunks.holds(blocks[i].last);
    if (!of_chunk && chunks.holds(blocks[i].first)) {  // other images of it are there while any step of theirs runs
      blocks[i].first = 1;
      blocks[i].steps.push_back(1);
    }
    plan.tensors[i].of_chunk = of_chunk;
    const std::int64_t bytes = node.shape.pixels() * (of_chunk ? chunks.images : batch) * plan.tensors[i].pitch *
                               static_cast<std::int64_t>(size_of(node.type.dtype));
    blocks[i].node = static_cast<int>(i);
    blocks[i].bytes = round_up(bytes, kAlignment);
    order.push_back(blocks[i]);
  }
  std::stable_sort(order.begin(), order.end(), [](const Block& a, const Block& b) { return a.bytes > b.bytes; });

  std::vector<Block> placed;
  for (Block& block : order) {
    block.offset = lowest_free_offset(placed, block, before);
    placed.push_back(block);
    blocks[static_cast<std::size_t>(block.node)] = block;
    plan.arena_bytes = std::max(plan.arena_bytes, block.offset + block.bytes);
  }
  for (std::size_t i = 0; i < count; ++i) {
    TensorPlacement& tensor = plan.tensors[i];
    const Block& block = blocks[static_cast<std::size_t>(tensor.root)];
    tensor.offset = block.node < 0 ? -1 : tensor.offset + block.offset;
    tensor.first_step = block.first;
    tensor.last_step = block.last;
    tensor.of_chunk = block.node >= 0 && plan.tensors[static_cast<std::size_t>(tensor.root)].of_chunk;
  }
  return plan;
}

}  // namespace gpueval
