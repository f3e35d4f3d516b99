// SPDX-License-Identifier: Apache-2.0
#include "task/detection/precision.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace gpueval {
namespace {

// numpy.linspace(0, 1, 101): .29 and some others are not the nearest doubles.
constexpr double coco_recall(int place) { return place == kRecalls - 1 ? 1 : place * 0.01; }

constexpr int kVocRecalls = 11;
// The nearest doubles, so that a recall of 3 in 10 is .3.
constexpr double voc_recall(int place) { return place / 10.0; }

// largest[i]: precision at recall(i) or higher.
template <std::size_t kCount, typename Recall, typename Precision>
void largest_precisions(std::span<const HitPoint> points, double truths, Recall recall, Precision precision,
                        std::array<double, kCount>& largest) {
  int i = static_cast<int>(kCount) - 1;
  double best = 0;
  for (std::size_t k = points.size(); k-- > 0;) {
    const double reached = points[k].hits / truths;
    for (; i >= 0 && recall(i) > reached; --i) largest[static_cast<std::size_t>(i)] = best;
    best = std::max(best, precision(points[k]));
  }
  for (; i >= 0; --i) largest[static_cast<std::size_t>(i)] = best;
}

template <std::size_t kCount>
double mean_of(const std::array<double, kCount>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(kCount);
}

double voc_precision(const HitPoint& point) { return point.hits / point.judged; }

}  // namespace

std::array<double, kRecalls> coco_precisions(std::span<const HitPoint> points, double truths) {
  std::array<double, kRecalls> result;
  const auto precision = [](const HitPoint& point) {
    return point.hits /
           (point.judged + std::numeric_limits<double>::epsilon());  // the first of cocoeval is just below 1
  };
  largest_precisions(points, truths, coco_recall, precision, result);
  return result;
}

double coco_ap(std::span<const HitPoint> points, double truths) { return mean_of(coco_precisions(points, truths)); }

double voc07_ap(std::span<const HitPoint> points, double truths) {
  std::array<double, kVocRecalls> result;
  largest_precisions(points, truths, voc_recall, voc_precision, result);
  return mean_of(result);
}

double voc10_ap(std::span<const HitPoint> points, double truths) {
  double area = 0, best = 0;
  for (std::size_t k = points.size(); k-- > 0;) {
    best = std::max(best, voc_precision(points[k]));
    area += (points[k].hits - (k == 0 ? 0 : points[k - 1].hits)) / truths * best;
  }
  return area;
}

}  // namespace gpueval
