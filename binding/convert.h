// JavaScript objects to the engine's requests. The caller in src/policy has checked every value.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "generate/request.h"
#include "learn/trunk_critic.h"
#include "model/checkpoint_reader.h"
#include "model/description.h"

namespace zero_rl::binding {

Description to_description(const Napi::Object& object);
// `token_bytes`: needed where there are stop strings.
GenerateRequest to_generate_request(const Napi::Object& object, std::shared_ptr<const TokenBytes> token_bytes);
Sequences to_sequences(const Napi::Object& object);
StepRequest to_step_request(const Napi::Object& object);
// A copy.
at::Tensor to_tensor(const Napi::Float32Array& array);
TrunkHead to_trunk_head(const Napi::Object& object);
std::vector<TensorSource> to_tensor_sources(const Napi::Array& array);
StoredDtype to_stored_dtype(const std::string& name);

// Copies into memory of the environment.
Napi::Float32Array to_float32_array(Napi::Env env, const std::vector<float>& values);
Napi::Int32Array to_int32_array(Napi::Env env, const std::vector<int32_t>& values);
Napi::Uint8Array to_uint8_array(Napi::Env env, const std::vector<uint8_t>& values);
Napi::Object to_object(Napi::Env env, const Completion& completion);
Napi::Object to_object(Napi::Env env, const GenerateStats& stats, double seconds);
Napi::Object to_object(Napi::Env env, const StepStats& stats, double seconds);
Napi::Object to_object(Napi::Env env, const TrunkHead& head);

}  // namespace zero_rl::binding
