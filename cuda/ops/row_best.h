// SPDX-License-Identifier: Apache-2.0
// The greatest keys of a row, found by a block: which key is the last to be taken (radix select, 8 bits a turn), and
// the taken ones in ascending order of their places. Of equal keys the earlier places are taken. Nothing is sorted, and
// the row is read from the caches: once to count, where all keys are taken, and once a turn, where not.
#pragma once

#include "cuda/ops/detector.h"
#include "cuda/prim/atomic.h"
#include "cuda/prim/bits.h"
#include "cuda/prim/shared.h"
#include "cuda/prim/thread.h"
#include "cuda/prim/warp.h"

namespace gpueval::GPUEVAL_TARGET {

inline constexpr int kRowThreads = 256, kRowWarps = kRowThreads / 32, kRowBins = 256;

// Keys above `key` are taken, and so many that equal it.
struct RowCut {
  cuda::ScoreKey key;
  int equals;
};

class RowBest {
 public:
  static constexpr std::uint32_t kSharedBytes = (kRowBins + 2 + 2 * kRowWarps) * sizeof(int);

  // shared_offset: of kSharedBytes.
  GPUEVAL_DEVICE RowBest(const cuda::ScoreKey* keys, int count, std::uint32_t shared_offset)
      : keys_(keys),
        count_(count),
        bins_(shared_offset, kRowBins),
        chosen_(shared_offset + kRowBins * 4, 2),
        warps_(shared_offset + (kRowBins + 2) * 4, 2 * kRowWarps),
        thread_(static_cast<int>(thread_index().x)) {}

  // For at most `most` keys.
  GPUEVAL_DEVICE RowCut cut(int most) const {
    RowCut cut{0, most};
    for (int shift = 24; shift >= 0; shift -= 8) {
      count_bins(cut.key, shift);
      choose_bin(cut.equals);
      const int bin = chosen_[0];
      // There are no more of them: all that begin as the prefix, or are greater.
      if (bin < 0) return {cut.key == 0 ? 0u : cut.key - 1, 0};
      cut.key |= static_cast<cuda::ScoreKey>(bin) << shift;
      cut.equals = chosen_[1];
    }
    return cut;
  }

  // take(place in the row, key, how many are taken before); returns how many are taken.
  template <typename Take>
  GPUEVAL_DEVICE int for_each(const RowCut& cut, const Take& take) const {
    const int lane = thread_ % 32, warp = thread_ / 32;
    const int share = (count_ + kRowWarps * 32 - 1) / (kRowWarps * 32) * 32;  // of a warp
    const int begin = warp * share;
    int above = 0, equal = 0;
    each_step(begin, share, cut, [&](int, cuda::ScoreKey, unsigned higher, unsigned same) {
      above += count_bits(higher);
      equal += count_bits(same);
    });
    if (lane == 0) {
      warps_[2 * warp] = above;
      warps_[2 * warp + 1] = equal;
    }
    block_barrier();
    above = equal = 0;
    int all_above = 0, all_equal = 0;
    for (int w = 0; w < kRowWarps; ++w) {
      if (w == warp) above = all_above, equal = all_equal;
      all_above += warps_[2 * w];
      all_equal += warps_[2 * w + 1];
    }
    const unsigned earlier = (1u << lane) - 1;
    each_step(begin, share, cut, [&](int place, cuda::ScoreKey key, unsigned higher, unsigned same) {
      const int equals_before = equal + count_bits(same & earlier);
      const int before = above + count_bits(higher & earlier) + minimum(equals_before, cut.equals);
      const bool is_higher = (higher >> lane & 1) != 0, is_same = (same >> lane & 1) != 0;
      if (is_higher || (is_same && equals_before < cut.equals)) take(place, key, before);
      above += count_bits(higher);
      equal += count_bits(same);
    });
    return all_above + minimum(all_equal, cut.equals);
  }

 private:
  GPUEVAL_DEVICE static int minimum(int a, int b) { return a < b ? a : b; }

  // Of the keys that begin as the prefix, by their 8 bits at `shift`.
  GPUEVAL_DEVICE void count_bins(cuda::ScoreKey prefix, int shift) const {
    bins_[thread_] = 0;
    block_barrier();
    // The bits above these; all of them are none in the first turn.
    const cuda::ScoreKey mask = shift == 24 ? 0u : ~0u << (shift + 8);
    for (int i = thread_; i < count_; i += kRowThreads) {
      const cuda::ScoreKey key = keys_[i];
      if (key != 0 && (key & mask) == prefix) atomic_add(&bins_[key >> shift & 255], 1);
    }
    block_barrier();
  }

  // The bin with the most-th key from above, and how many of it are among these; -1 where there are not more keys. A
  // lane of the first warp takes 8 bins.
  GPUEVAL_DEVICE void choose_bin(int most) const {
    constexpr int kEach = kRowBins / 32;
    if (thread_ < 32) {
      const int top = kRowBins - 1 - thread_ * kEach;
      int own = 0;
      for (int b = 0; b < kEach; ++b) own += bins_[top - b];
      int with = own;  // and all above
      for (int step = 1; step < 32; step *= 2) {
        const int other = shuffle(with, (thread_ - step) & 31);
        if (thread_ >= step) with += other;
      }
      const int all = shuffle(with, 31);
      if (thread_ == 0 && all <= most) chosen_[0] = -1;
      if (all > most && with >= most && with - own < most) {
        int before = with - own, bin = top;
        for (; before + bins_[bin] < most; --bin) before += bins_[bin];
        chosen_[0] = bin;
        chosen_[1] = most - before;
      }
    }
    block_barrier();
  }

  // The warp's share of the row, 32 places a step: which lanes have keys above the cut, and which its own.
  template <typename Step>
  GPUEVAL_DEVICE void each_step(int begin, int share, const RowCut& cut, const Step& step) const {
    for (int i = begin; i < begin + share && i < count_; i += 32) {
      const int place = i + thread_ % 32;
      const cuda::ScoreKey key = place < count_ ? keys_[place] : 0u;
      const unsigned higher = ballot(key > cut.key), same = ballot(key == cut.key && cut.equals > 0);
      step(place, key, higher, same);
    }
  }

  const cuda::ScoreKey* keys_;
  int count_;
  Shared<int> bins_, chosen_, warps_;  // chosen: a bin, how many of it
  int thread_;
};

}  // namespace gpueval::GPUEVAL_TARGET
