// SPDX-License-Identifier: Apache-2.0
// Functions of one float32 number in plain arithmetic without branches: the same bits on CPU, GPU and emulator, and
// loops over them vectorise. Errors: a few units in the last place (tests/cpu/functions_test.cpp). NaN stays NaN.
//
// Included inside a namespace by whoever has float_bits(float), bits_float(int) and power_of(float, float), and defines
// GPUEVAL_FLOAT_FUNCTION: what stands before each function.

GPUEVAL_FLOAT_FUNCTION float magnitude(float x) { return bits_float(float_bits(x) & 0x7fffffff); }

// x = n ln 2 + r with |r| <= ln(2) / 2; exp(r) = 1 + p.
struct ReducedExponent {
  int n;
  float p;
};
GPUEVAL_FLOAT_FUNCTION ReducedExponent reduce_exponent(float x) {
  const float shifted = x * 1.44269504f + 12582912.0f;  // + 1.5 * 2^23: n in the low bits
  const float n = shifted - 12582912.0f;
  // ln 2 in two parts: n times the first, of 9 bits, is exact.
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;  // Cephes's expf
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return {float_bits(shifted) - 0x4b400000, p * r * r + r};
}
// 2^n for n in -126..127
GPUEVAL_FLOAT_FUNCTION float power_of_two(int n) {
  return bits_float(static_cast<int>(static_cast<unsigned>(n + 127) << 23));
}

// In two factors, so that results below 2^-126 and beyond float32 come out right, too.
GPUEVAL_FLOAT_FUNCTION float exponential(float x) {
  x = x < -104.0f ? -104.0f : x;  // 0 from there on
  x = x > 89.0f ? 89.0f : x;      // infinity
  const ReducedExponent e = reduce_exponent(x);
  const int half = e.n >> 1;
  return (e.p + 1.0f) * power_of_two(half) * power_of_two(e.n - half);
}
// exp(x) - 1 for x <= 0
GPUEVAL_FLOAT_FUNCTION float exponential_less_one(float x) {
  const ReducedExponent e = reduce_exponent(x < -50.0f ? -50.0f : x);
  const float power = power_of_two(e.n);
  return power * e.p + (power - 1.0f);
}

// By exp(-|x|), which does not overflow.
GPUEVAL_FLOAT_FUNCTION float sigmoid(float x) {
  const float e = exponential(-magnitude(x));
  return (x >= 0 ? 1.0f : e) / (1.0f + e);
}
// (1 - e) / (1 + e), e = exp(-2|x|), with 1 - e from exp() - 1: exact next to 0.
GPUEVAL_FLOAT_FUNCTION float hyperbolic_tangent(float x) {
  const float less = exponential_less_one(-2.0f * magnitude(x)), positive = -less / (2.0f + less);
  return x < 0 ? -positive : positive;
}
// ln(1 + x) for x in 0..1: twice artanh(s) by its series, s at most 1/3.
GPUEVAL_FLOAT_FUNCTION float log_of_one_more(float x) {
  const float s = x / (2.0f + x), t = s * s;
  float p = 1.0f / 15;
  p = p * t + 1.0f / 13;
  p = p * t + 1.0f / 11;
  p = p * t + 1.0f / 9;
  p = p * t + 1.0f / 7;
  p = p * t + 1.0f / 5;
  p = p * t + 1.0f / 3;
  return 2.0f * (s + s * (p * t));
}
// Of the normal distribution: erfc(size / sqrt(2)) / 2 by Numerical Recipes' erfcc (relative error 1.2e-7).
GPUEVAL_FLOAT_FUNCTION float normal_tail(float size) {
  const float z = size * 0.70710678f, t = 1.0f / (1.0f + 0.5f * z);
  float p = 0.17087277f;
  p = p * t - 0.82215223f;
  p = p * t + 1.48851587f;
  p = p * t - 1.13520398f;
  p = p * t + 0.27886807f;
  p = p * t - 0.18628806f;
  p = p * t + 0.09678418f;
  p = p * t + 0.37409196f;
  p = p * t + 1.00002368f;
  p = p * t - 1.26551223f;
  return 0.5f * t * exponential(p - 0.5f * size * size);
}
GPUEVAL_FLOAT_FUNCTION float gelu(float x) {
  const float tail = normal_tail(magnitude(x));
  return x * (x < 0 ? tail : 1.0f - tail);
}
// x tanh(ln(1 + e)) = x s / (s + 2) with s = e (e + 2)
GPUEVAL_FLOAT_FUNCTION float mish(float x) {
  const float e = exponential(x > 30.0f ? 30.0f : x), s = e * (e + 2.0f);
  return x * (s / (s + 2.0f));
}
GPUEVAL_FLOAT_FUNCTION float between(float x, float lo, float hi) {
  x = x < lo ? lo : x;
  return x > hi ? hi : x;
}

// gpueval/graph.h says what each is.
template <FunctionKind kKind>
GPUEVAL_FLOAT_FUNCTION float function_of(const Function& f, float x) {
  const float negative = x > 0 ? 0.0f : x;
  switch (kKind) {
    case FunctionKind::kSigmoid:
      return sigmoid(x);
    case FunctionKind::kTanh:
      return hyperbolic_tangent(x);
    case FunctionKind::kSilu:
      return x * sigmoid(x);
    case FunctionKind::kGelu:
      return gelu(x);
    case FunctionKind::kGeluTanh:  // (1 + tanh(u)) / 2 = sigmoid(2u)
      return x * sigmoid(1.59576912f * (x + 0.044715f * x * x * x));
    case FunctionKind::kHardSigmoid:
      return between(f.alpha * x + f.beta, 0.0f, 1.0f);
    case FunctionKind::kHardSilu:
      return x * between(x / 6.0f + 0.5f, 0.0f, 1.0f);
    case FunctionKind::kElu:
      return x > 0 ? x : f.alpha * exponential_less_one(negative);
    case FunctionKind::kSelu:
      return 1.05070099f * (x > 0 ? x : 1.67326324f * exponential_less_one(negative));
    case FunctionKind::kSoftplus:
      return (x < 0 ? 0.0f : x) + log_of_one_more(exponential(-magnitude(x)));
    case FunctionKind::kSoftsign:
      return x / (1.0f + magnitude(x));
    case FunctionKind::kExp:
      return exponential(x);
    case FunctionKind::kMish:
      return mish(x);
    case FunctionKind::kRelu: {
      const float v = x >= f.beta ? x : f.alpha * (x - f.beta);
      return v > f.most ? f.most : v;
    }
    case FunctionKind::kAbs:
      return magnitude(x);
    case FunctionKind::kPower:
      return power_of(x, f.alpha);
  }
  return x;
}
