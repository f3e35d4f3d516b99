// SPDX-License-Identifier: Apache-2.0
#include "ptx/control_flow.h"

#include <algorithm>

namespace gpueval::ptx {
namespace {

// The graph of basic blocks, its edges turned round. Node `blocks` is the end. Immediate dominators by Cooper, Harvey,
// Kennedy: "A simple, fast dominance algorithm" (2001).
class PostDominators {
 public:
  explicit PostDominators(const std::vector<Instruction>& code) : code_(code) {
    find_blocks();
    find_order();
    immediate_.assign(begins_.size() + 1, kNone);
    immediate_[end()] = end();
    for (bool changed = true; changed;) {
      changed = false;
      for (const std::uint32_t block : order_) changed |= update(block);
    }
  }
  // The instruction where what follows `branch` meets.
  std::uint32_t meeting_of(std::uint32_t branch) const {
    const std::uint32_t meeting = immediate_[block_[branch]];
    return meeting < begins_.size() ? begins_[meeting] : static_cast<std::uint32_t>(code_.size());
  }

 private:
  std::uint32_t end() const { return static_cast<std::uint32_t>(begins_.size()); }

  void find_blocks() {
    std::vector<bool> begins(code_.size() + 1, false);
    begins[0] = true;
    for (std::size_t i = 0; i < code_.size(); ++i) {
      if (code_[i].flow == Flow::kBranch) begins[code_[i].target] = true;
      if (code_[i].flow == Flow::kBranch || code_[i].flow == Flow::kExit) begins[i + 1] = true;
    }
    for (std::uint32_t i = 0; i < code_.size(); ++i) {
      if (begins[i]) begins_.push_back(i);
      block_.push_back(static_cast<std::uint32_t>(begins_.size() - 1));
    }
    block_.push_back(end());
    for (std::uint32_t block = 0; block < begins_.size(); ++block) {
      const std::uint32_t last = (block + 1 < begins_.size() ? begins_[block + 1] : size()) - 1;
      const Instruction& i = code_[last];
      std::vector<std::uint32_t> next;
      if (i.flow == Flow::kBranch) next.push_back(block_[i.target]);
      if (i.flow == Flow::kExit) next.push_back(end());
      if ((i.flow != Flow::kBranch && i.flow != Flow::kExit) || i.guard != kNone) next.push_back(block_[last + 1]);
      next_.push_back(next);
    }
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(code_.size()); }

  // Reverse postorder of the turned graph, without its root.
  void find_order() {
    std::vector<std::vector<std::uint32_t>> before(begins_.size() + 1);
    for (std::uint32_t block = 0; block < begins_.size(); ++block) {
      for (const std::uint32_t next : next_[block]) before[next].push_back(block);
    }
    rank_.assign(begins_.size() + 1, 0);
    std::vector<bool> seen(begins_.size() + 1, false);
    std::vector<std::pair<std::uint32_t, std::size_t>> stack = {{end(), 0}};
    seen[end()] = true;
    while (!stack.empty()) {
      auto& [node, child] = stack.back();
      if (child < before[node].size()) {
        const std::uint32_t to = before[node][child++];
        if (!seen[to]) stack.emplace_back(to, 0);
        seen[to] = true;
        continue;
      }
      rank_[node] = static_cast<std::uint32_t>(order_.size());
      order_.push_back(node);
      stack.pop_back();
    }
    order_.pop_back();  // the root
    std::reverse(order_.begin(), order_.end());
  }

  bool update(std::uint32_t block) {
    std::uint32_t best = kNone;
    for (const std::uint32_t next : next_[block]) {
      if (immediate_[next] == kNone) continue;
      best = best == kNone ? next : common(best, next);
    }
    if (best == immediate_[block]) return false;
    immediate_[block] = best;
    return true;
  }
  std::uint32_t common(std::uint32_t a, std::uint32_t b) const {
    while (a != b) {
      while (rank_[a] < rank_[b]) a = immediate_[a];
      while (rank_[b] < rank_[a]) b = immediate_[b];
    }
    return a;
  }

  const std::vector<Instruction>& code_;
  std::vector<std::uint32_t> begins_, block_;  // first instruction of a block; block of an instruction
  std::vector<std::vector<std::uint32_t>> next_;
  std::vector<std::uint32_t> order_, rank_, immediate_;
};

}  // namespace

void find_reconvergence(std::vector<Instruction>& code) {
  if (code.empty()) return;
  const PostDominators dominators(code);
  for (std::uint32_t i = 0; i < code.size(); ++i) {
    if (code[i].flow == Flow::kBranch) code[i].reconverge = dominators.meeting_of(i);
  }
}

}  // namespace gpueval::ptx
