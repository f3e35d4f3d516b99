// SPDX-License-Identifier: Apache-2.0
#include "quant/through.h"
