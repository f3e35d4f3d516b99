// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/covariance.h"

#include <dnnl.h>

#include <algorithm>
#include <numeric>

#include "core/threads.h"
#include "gpueval/error.h"
#include "quant/recipe/wide.h"

namespace gpueval {
namespace {

// |x| <= 128: the products of so many positions sum to at most 2^24, which float32 holds exactly.
constexpr std::size_t kChunk = 1024;

// Integers below 2^24: exact in float.
GPUEVAL_WIDE void add_products(const float* a, const float* b, double* sum, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) sum[i] += a[i] * b[i];
}

std::vector<double> column_means(std::span<const float> y, std::size_t columns) {
  std::vector<double> mean(columns, 0.0);
  for (std::size_t i = 0; i < y.size(); ++i) mean[i % columns] += y[i];
  for (double& m : mean) m /= static_cast<double>(y.size() / columns);
  return mean;
}

// c = a^T b, a: [n][rows], b: [n][columns]. In blocks of one thread each: oneDNN would share out the sum too, and
// floats would then depend on the number of threads.
void transposed_product(const std::vector<float>& a, std::size_t rows, const std::vector<float>& b, std::size_t columns,
                        std::size_t n, std::vector<float>& c) {
  constexpr std::size_t kBlock = 64;
  const auto size = [](std::size_t x) { return static_cast<dnnl_dim_t>(x); };
  c.resize(rows * columns);
  parallel_for_dynamic(static_cast<std::int64_t>((rows + kBlock - 1) / kBlock), [&](std::int64_t block) {
    const std::size_t first = static_cast<std::size_t>(block) * kBlock, count = std::min(kBlock, rows - first);
    const dnnl_status_t status =
        dnnl_sgemm('T', 'N', size(count), size(columns), size(n), 1.0f, a.data() + first, size(rows), b.data(),
                   size(columns), 0.0f, c.data() + first * columns, size(columns));
    GPUEVAL_CHECK(status == dnnl_success, "matrix product {} x {} x {}", count, columns, n);
  });
}

void add_to(std::span<double> sum, const std::vector<float>& part) {
  constexpr std::int64_t kShare = 1 << 16;
  const auto size = static_cast<std::int64_t>(part.size());
  parallel_for((size + kShare - 1) / kShare, [&](std::int64_t share) {
    const auto last = static_cast<std::size_t>(std::min(size, (share + 1) * kShare));
    for (auto i = static_cast<std::size_t>(share * kShare); i < last; ++i) sum[i] += part[i];
  });
}

// Centred y of positions [first, first + n).
std::vector<float> centred(std::span<const float> y, const std::vector<double>& mean, std::size_t first,
                           std::size_t n) {
  const std::size_t columns = mean.size();
  std::vector<float> part(n * columns);
  for (std::size_t i = 0; i < part.size(); ++i) {
    part[i] = static_cast<float>(y[first * columns + i] - mean[i % columns]);
  }
  return part;
}

}  // namespace

std::vector<std::int64_t> sample_positions(std::int64_t images, std::int64_t pixels, std::int64_t wanted) {
  std::int64_t step = std::max<std::int64_t>(1, images * pixels / wanted);
  while (std::gcd(step, pixels) != 1) ++step;  // else some rows or columns are never seen
  std::vector<std::int64_t> positions;
  for (std::int64_t at = 0; at < images * pixels; at += step) positions.push_back(at);
  return positions;
}

std::size_t Patches::depth() const {
  return static_cast<std::size_t>(std::int64_t{desc_.window.kernel_h} * desc_.window.kernel_w * desc_.group_channels());
}

Patches Patches::group(int index) const {
  Patches own = *this;
  own.first_channel_ = index * desc_.group_channels();
  return own;
}

void Patches::gather(std::size_t position, float shift, float* patch) const {
  const int channels = desc_.group_channels();
  const std::int64_t pixels = std::int64_t{desc_.p()} * desc_.q();
  const std::int64_t at = positions_[position], image = at / pixels, pixel = at % pixels;
  const std::int64_t top = pixel / desc_.q() * desc_.window.stride_h - desc_.window.pad.top;
  const std::int64_t left = pixel % desc_.q() * desc_.window.stride_w - desc_.window.pad.left;
  const std::byte* source = src_.bytes.data() + static_cast<std::size_t>(image) * src_.image_bytes();
  for (std::int64_t h = top; h < top + desc_.window.kernel_h; ++h) {
    for (std::int64_t w = left; w < left + desc_.window.kernel_w; ++w, patch += channels) {
      if (h < 0 || h >= desc_.h || w < 0 || w >= desc_.w) {
        std::fill_n(patch, channels, static_cast<float>(zero_point_) - shift);
        continue;
      }
      const std::byte* from = source + (h * desc_.w + w) * desc_.c + first_channel_;
      for (int c = 0; c < channels; ++c) {
        const auto byte = static_cast<std::uint8_t>(from[c]);
        const int q = src_.dtype == DType::kU8 ? int{byte} : int{static_cast<std::int8_t>(byte)};
        patch[c] = static_cast<float>(q) - shift;
      }
    }
  }
}

Covariance covariance(const Patches& patches, std::span<const float> y, std::size_t outputs) {
  const std::size_t depth = patches.depth(), count = patches.count();
  const std::vector<double> y_mean = y.empty() ? std::vector<double>{} : column_means(y, outputs);
  Covariance sums{.inputs = SquareMatrix(depth), .outputs = std::vector<double>(y.empty() ? 0 : outputs * depth, 0.0)};
  std::vector<double> mean(depth, 0.0);
  std::vector<float> product;
  for (std::size_t first = 0; first < count; first += kChunk) {
    const std::size_t n = std::min(kChunk, count - first);
    std::vector<float> x(n * depth);
    parallel_for(static_cast<std::int64_t>(n), [&](std::int64_t i) {
      const auto at = static_cast<std::size_t>(i);
      patches.gather(first + at, patches.shift(), x.data() + at * depth);
    });
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < depth; ++j) mean[j] += x[i * depth + j];
    }
    transposed_product(x, depth, x, depth, n, product);
    add_to(sums.inputs.values, product);
    if (y.empty()) continue;
    transposed_product(centred(y, y_mean, first, n), outputs, x, depth, n, product);
    add_to(sums.outputs, product);
  }
  const auto positions = static_cast<double>(count);
  for (double& m : mean) m /= positions;
  parallel_for(static_cast<std::int64_t>(depth), [&](std::int64_t i) {
    double* row = sums.inputs.row(static_cast<std::size_t>(i));
    for (std::size_t j = 0; j < depth; ++j) row[j] = row[j] / positions - mean[static_cast<std::size_t>(i)] * mean[j];
  });
  for (double& c : sums.outputs) c /= positions;
  return sums;
}

std::vector<Covariance> depthwise_covariance(const Patches& patches, std::span<const float> y, std::size_t channels) {
  const std::size_t taps = patches.depth() / channels, count = patches.count();
  const std::vector<double> y_mean = y.empty() ? std::vector<double>{} : column_means(y, channels);
  // [tap][tap][channel], [tap][channel]: the channel innermost, so that loops over it vectorise.
  std::vector<double> square(taps * taps * channels, 0.0), mean(taps * channels, 0.0), cross(taps * channels, 0.0);
  std::vector<float> patch(taps * channels);
  for (std::size_t i = 0; i < count; ++i) {
    patches.gather(i, patches.shift(), patch.data());
    for (std::size_t t = 0; t < taps; ++t) {
      const float* a = patch.data() + t * channels;
      for (std::size_t u = 0; u <= t; ++u) {
        const float* b = patch.data() + u * channels;
        double* sum = square.data() + (t * taps + u) * channels;
        add_products(a, b, sum, channels);
      }
      for (std::size_t c = 0; c < channels; ++c) {
        mean[t * channels + c] += a[c];
        if (!y.empty()) cross[t * channels + c] += a[c] * (y[i * channels + c] - y_mean[c]);
      }
    }
  }
  const auto positions = static_cast<double>(count);
  std::vector<Covariance> result;
  for (std::size_t c = 0; c < channels; ++c) {
    Covariance own{.inputs = SquareMatrix(taps), .outputs = {}};
    for (std::size_t t = 0; t < taps; ++t) {
      for (std::size_t u = 0; u <= t; ++u) {
        const double covariance = square[(t * taps + u) * channels + c] / positions -
                                  mean[t * channels + c] / positions * (mean[u * channels + c] / positions);
        own.inputs.row(t)[u] = own.inputs.row(u)[t] = covariance;
      }
      if (!y.empty()) own.outputs.push_back(cross[t * channels + c] / positions);
    }
    result.push_back(std::move(own));
  }
  return result;
}

}  // namespace gpueval
