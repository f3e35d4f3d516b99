// SPDX-License-Identifier: Apache-2.0
// What becomes of a detector's outputs, number by number: the same bits on CPU, GPU and emulator. Probabilities are
// computed in double and rounded once. NaN stays NaN, and passes no threshold.
//
// Included behind float_functions.inl.h by whoever also has double_bits(double) and bits_double(std::int64_t).

// exp(x), x cut to -708..709, within 2 units in the last place: n and r as in reduce_exponent().
GPUEVAL_FLOAT_FUNCTION double double_exponential(double x) {
  x = x < -708.0 ? -708.0 : x;
  x = x > 709.0 ? 709.0 : x;
  const double shifted = x * 1.4426950408889634 + 6755399441055744.0;  // + 1.5 * 2^52: n in the low bits
  const double n = shifted - 6755399441055744.0;
  // ln 2 in two parts: n times the first, of 20 bits, is exact.
  const double r = (x - n * 6.93145751953125e-1) - n * 1.42860682030941723212e-6;
  // Taylor's series behind 1 + r, neighbours first (Estrin): short chains of operations.
  const double r2 = r * r, r4 = r2 * r2;
  const double low = (0.5 + 1.0 / 6 * r) + (1.0 / 24 + 1.0 / 120 * r) * r2;
  const double middle = (1.0 / 720 + 1.0 / 5040 * r) + (1.0 / 40320 + 1.0 / 362880 * r) * r2;
  const double high = (1.0 / 3628800 + 1.0 / 39916800 * r) + (1.0 / 479001600 + 1.0 / 6227020800 * r) * r2;
  const double exp_r = ((low + (middle + high * r4) * r4) * r2 + r) + 1.0;
  const auto exponent = static_cast<std::uint64_t>(double_bits(shifted) - 0x4338000000000000 + 1023);
  return exp_r * bits_double(static_cast<std::int64_t>(exponent << 52));
}

// Of a class by itself.
GPUEVAL_FLOAT_FUNCTION float logit_to_probability(float logit) {
  return static_cast<float>(1.0 / (1.0 + double_exponential(-static_cast<double>(logit))));
}

// A box in parts of the input.
struct Edges {
  float x1, y1, x2, y2;
};

// cx, cy, width, height: of the prior; offsets, variances: of these in this order.
GPUEVAL_FLOAT_FUNCTION Edges decoded_edges(const float* prior, const float* offsets, const float* variances) {
  const float cx = offsets[0] * variances[0] * prior[2] + prior[0];
  const float cy = offsets[1] * variances[1] * prior[3] + prior[1];
  const float width = exponential(offsets[2] * variances[2]) * prior[2];
  const float height = exponential(offsets[3] * variances[3]) * prior[3];
  return {cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2};
}
GPUEVAL_FLOAT_FUNCTION float area_of(const Edges& box) { return (box.x2 - box.x1) * (box.y2 - box.y1); }

// Whether the IoU is above the threshold.
GPUEVAL_FLOAT_FUNCTION bool overlap(const Edges& a, float a_area, const Edges& b, float b_area, float threshold) {
  const float w = (a.x2 < b.x2 ? a.x2 : b.x2) - (a.x1 > b.x1 ? a.x1 : b.x1);
  const float h = (a.y2 < b.y2 ? a.y2 : b.y2) - (a.y1 > b.y1 ? a.y1 : b.y1);
  const float inter = (w > 0 ? w : 0.0f) * (h > 0 ? h : 0.0f);
  return inter > threshold * (a_area + b_area - inter);
}
