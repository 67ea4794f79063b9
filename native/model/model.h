// A decoder's weights and what every pass over them needs.
#pragma once

#include "kernels/recorded_set.h"
#include "model/model_config.h"
#include "model/parameter_store.h"
#include "model/rope_table.h"
#include "model/weight_panels.h"
#include "runtime/workspace.h"

namespace zero_rl {

struct Model {
  Model(const ModelConfig& model_config, at::ScalarType dtype, bool masters)
      : config(model_config), parameters(config, dtype, masters), rope(config.rope, config.head_dim), panels(kernels(), parameters) {}

  const kernels::Table& kernels() const { return kernels(parameters.dtype()); }
  static const kernels::Table& kernels(at::ScalarType dtype) {
    const kernels::InstructionSet& set = kernels::active_set();
    return dtype == at::kFloat ? set.float32 : set.bfloat16;
  }

  ModelConfig config;
  ParameterStore parameters;
  RopeTable rope;
  WeightPanels panels;
  Workspace workspace;
};

}  // namespace zero_rl
