// The loss of rows in memory of the host: learn/token_loss.h over what is known of each.
#pragma once

#include <cstdint>

#include "operators/operators.h"

namespace zero_rl {

// results.log_probs (a critic's values) and entropies in; losses and clipped out, and d loss / d log-prob and d loss / d entropy
// [rows], the latter only where it is not null.
void token_losses(const Objective& objective, const LossInputs& inputs, const LossResults& results, int64_t rows,
                  float* coefficients, float* entropy_coefficients);

}  // namespace zero_rl
