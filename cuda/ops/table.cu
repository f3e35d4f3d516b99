// SPDX-License-Identifier: Apache-2.0
#include "cuda/ops/float_ops.h"
#include "cuda/ops/integer_ops.h"
#include "cuda/prim/target.h"
#include "cuda/runtime/tables.h"

namespace gpueval::GPUEVAL_TARGET {

const cuda::Ops& ops() {
  static const cuda::Ops table = {
      .max_pool = max_pool,
      .avg_pool = avg_pool,
      .global_avg_pool = global_avg_pool,
      .add = add,
      .requantize = requantize,
      .quantize = quantize,
      .dequantize = dequantize,
      .quantize_dynamic = quantize_dynamic,
      .copy = copy,
      .zero = zero,
      .add_float = add_float,
      .relu_float = relu_float,
      .batch_norm = batch_norm,
      .max_pool_float = max_pool_float,
      .avg_pool_float = avg_pool_float,
      .global_avg_pool_float = global_avg_pool_float,
      .conv_float = conv_float,
      .cast = cast,
      .finish_float = finish_float,
      .finish_integer = finish_integer,
      .preprocess = preprocess,
      .top_k = top_k,
  };
  return table;
}

}  // namespace gpueval::GPUEVAL_TARGET
