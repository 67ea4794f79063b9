#include "convert.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <utility>

namespace zero_rl::binding {

namespace {

int64_t integer(const Napi::Object& object, const char* key) {
  return object.Get(key).As<Napi::Number>().Int64Value();
}
double number(const Napi::Object& object, const char* key) { return object.Get(key).As<Napi::Number>().DoubleValue(); }
bool boolean(const Napi::Object& object, const char* key) { return object.Get(key).As<Napi::Boolean>().Value(); }
std::string text(const Napi::Object& object, const char* key) {
  return object.Get(key).As<Napi::String>().Utf8Value();
}

std::vector<int32_t> int32s(const Napi::Object& object, const char* key) {
  const auto array = object.Get(key).As<Napi::Int32Array>();
  return {array.Data(), array.Data() + array.ElementLength()};
}

std::vector<int64_t> wide(const Napi::Object& object, const char* key) {
  const auto array = object.Get(key).As<Napi::Int32Array>();
  return {array.Data(), array.Data() + array.ElementLength()};
}

std::vector<float> floats(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (value.IsNull() || value.IsUndefined()) return {};
  const auto array = value.As<Napi::Float32Array>();
  return {array.Data(), array.Data() + array.ElementLength()};
}

// None where the value is null; empty where an entry is.
std::vector<std::vector<uint8_t>> byte_lists(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsArray()) return {};
  const auto array = value.As<Napi::Array>();
  std::vector<std::vector<uint8_t>> result(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(object.Env());
    const Napi::Value entry = array.Get(i);
    if (!entry.IsTypedArray()) continue;
    const auto bytes = entry.As<Napi::Uint8Array>();
    result[i].assign(bytes.Data(), bytes.Data() + bytes.ElementLength());
  }
  return result;
}

std::vector<std::string> byte_strings(const Napi::Object& object, const char* key) {
  const auto array = object.Get(key).As<Napi::Array>();
  std::vector<std::string> result;
  result.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(object.Env());
    const auto bytes = array.Get(i).As<Napi::Uint8Array>();
    result.emplace_back(reinterpret_cast<const char*>(bytes.Data()), bytes.ElementLength());
  }
  return result;
}

RopeConfig to_rope_config(const Napi::Object& object) {
  RopeConfig rope;
  rope.theta = number(object, "theta");
  const Napi::Value scaling = object.Get("scaling");
  if (!scaling.IsObject()) return rope;
  const auto rule = scaling.As<Napi::Object>();
  rope.factor = number(rule, "factor");
  if (text(rule, "type") == "linear") {
    rope.scaling = RopeConfig::Scaling::kLinear;
    return rope;
  }
  rope.scaling = RopeConfig::Scaling::kLlama3;
  rope.low_freq_factor = number(rule, "lowFreqFactor");
  rope.high_freq_factor = number(rule, "highFreqFactor");
  rope.original_max_positions = number(rule, "originalMaxPositions");
  return rope;
}

template <class Array, class T>
Array copy_array(Napi::Env env, const std::vector<T>& values) {
  Array array = Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

}  // namespace

namespace {

Role to_role(const std::string& name) {
  static const std::map<std::string, Role> roles{{"embedding", Role::kEmbedding},
                                                 {"attentionNorm", Role::kAttentionNorm},
                                                 {"qkv", Role::kQkv},
                                                 {"qkvBias", Role::kQkvBias},
                                                 {"queryNorm", Role::kQueryNorm},
                                                 {"keyNorm", Role::kKeyNorm},
                                                 {"attentionOutput", Role::kAttentionOutput},
                                                 {"attentionOutputBias", Role::kAttentionOutputBias},
                                                 {"attentionOutputNorm", Role::kAttentionOutputNorm},
                                                 {"mlpNorm", Role::kMlpNorm},
                                                 {"gateUp", Role::kGateUp},
                                                 {"gateUpBias", Role::kGateUpBias},
                                                 {"down", Role::kDown},
                                                 {"downBias", Role::kDownBias},
                                                 {"mlpOutputNorm", Role::kMlpOutputNorm},
                                                 {"finalNorm", Role::kFinalNorm},
                                                 {"head", Role::kHead}};
  return roles.at(name);
}

QkNorm to_qk_norm(const std::string& name) {
  if (name == "head") return QkNorm::kHead;
  return name == "projection" ? QkNorm::kProjection : QkNorm::kNone;
}

// body(item) of each object of an array.
template <class Body>
void for_objects(const Napi::Value& value, const Body& body) {
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(array.Env());
    body(array.Get(i).As<Napi::Object>());
  }
}

NamedShape to_named_shape(const Napi::Object& object) {
  NamedShape result{.name = text(object, "name"), .shape = {}};
  const auto shape = object.Get("shape").As<Napi::Array>();
  for (uint32_t i = 0; i < shape.Length(); ++i) result.shape.push_back(shape.Get(i).As<Napi::Number>().Int64Value());
  return result;
}

}  // namespace

Description to_description(const Napi::Object& object) {
  Description result;
  result.vocab_size = integer(object, "vocabSize");
  result.hidden_size = integer(object, "hiddenSize");
  result.intermediate_size = integer(object, "intermediateSize");
  result.heads = integer(object, "heads");
  result.kv_heads = integer(object, "kvHeads");
  result.head_dim = integer(object, "headDim");
  result.max_positions = integer(object, "maxPositions");
  result.rms_norm_eps = number(object, "rmsNormEps");
  result.value_head = boolean(object, "valueHead");
  result.rope = to_rope_config(object.Get("rope").As<Napi::Object>());
  for_objects(object.Get("layers"), [&](const Napi::Object& layer) {
    result.layers.push_back({.rotary = boolean(layer, "rotary"), .qk_norm = to_qk_norm(text(layer, "qkNorm"))});
  });
  for_objects(object.Get("blocks"), [&](const Napi::Object& block) {
    Block& added = result.blocks.emplace_back(Block{to_role(text(block, "role")), integer(block, "layer"), {}});
    for_objects(block.Get("tensors"), [&](const Napi::Object& tensor) { added.tensors.push_back(to_named_shape(tensor)); });
  });
  return result;
}

GenerateRequest to_generate_request(const Napi::Object& object, std::shared_ptr<const TokenBytes> token_bytes) {
  GenerateRequest request;
  request.tokens = int32s(object, "tokens");
  request.offsets = wide(object, "offsets");
  const auto uids = object.Get("uids").As<Napi::Float64Array>();
  for (size_t i = 0; i < uids.ElementLength(); ++i) request.uids.push_back(static_cast<uint64_t>(uids[i]));
  request.samples = integer(object, "n");
  request.max_tokens = integer(object, "maxTokens");
  request.sampler.temperature = static_cast<float>(number(object, "temperature"));
  request.sampler.top_p = static_cast<float>(number(object, "topP"));
  request.sampler.top_k = integer(object, "topK");
  request.sampler.min_p = static_cast<float>(number(object, "minP"));
  request.sampler.seed = static_cast<uint64_t>(number(object, "seed"));
  request.sampler.record_kept = boolean(object, "keptTokens");
  request.stop_tokens = int32s(object, "stopTokens");
  std::vector<std::string> strings = byte_strings(object, "stopStrings");
  if (!strings.empty()) request.stop_strings = StopStrings(std::move(strings), std::move(token_bytes));
  request.max_batch = integer(object, "maxBatch");
  request.low_priority = object.Has("priority") && text(object, "priority") == "low";
  if (object.Has("firstSample")) request.first_sample = integer(object, "firstSample");
  return request;
}

Sequences to_sequences(const Napi::Object& object) {
  return {.tokens = int32s(object, "tokens"),
          .offsets = wide(object, "offsets"),
          .prompt_lengths = wide(object, "promptLengths"),
          .kept_bytes = byte_lists(object, "keptTokens"),
          .kept = {}};
}

namespace {

ObjectiveKind to_objective_kind(const std::string& name) {
  if (name == "ppo") return ObjectiveKind::kPpo;
  if (name == "gspo") return ObjectiveKind::kGspo;
  if (name == "cispo") return ObjectiveKind::kCispo;
  return name == "value" ? ObjectiveKind::kValue : ObjectiveKind::kReinforce;
}

}  // namespace

StepRequest to_step_request(const Napi::Object& object) {
  StepRequest request;
  request.sequences = to_sequences(object);
  request.advantages = floats(object, "advantages");
  request.weights = floats(object, "weights");
  request.old_log_probs = floats(object, "oldLogProbs");
  request.reference_log_probs = floats(object, "referenceLogProbs");
  request.objective.kind = to_objective_kind(text(object, "objective"));
  request.objective.clip_low = static_cast<float>(number(object, "clipLow"));
  request.objective.clip_high = static_cast<float>(number(object, "clipHigh"));
  request.objective.dual_clip = static_cast<float>(number(object, "dualClip"));
  request.objective.product_ratio = text(object, "sequenceRatio") == "product";
  request.objective.entropy_coefficient = static_cast<float>(number(object, "entropyCoefficient"));
  request.objective.kl_coefficient = static_cast<float>(number(object, "klCoefficient"));
  request.objective.kl_corrected = boolean(object, "klCorrected");
  request.objective.kl_estimator = text(object, "klEstimator") == "k3" ? KlEstimator::kK3 : KlEstimator::kK2;
  request.temperature = static_cast<float>(number(object, "temperature"));
  request.learning_rate = number(object, "learningRate");
  request.beta1 = number(object, "beta1");
  request.beta2 = number(object, "beta2");
  request.eps = number(object, "eps");
  request.weight_decay = number(object, "weightDecay");
  request.max_grad_norm = number(object, "maxGradNorm");
  request.memory_budget = integer(object, "memoryBudget");
  return request;
}

at::Tensor to_tensor(const Napi::Float32Array& array) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(array.ElementLength())}, at::TensorOptions().dtype(at::kFloat));
  std::memcpy(tensor.data_ptr(), array.Data(), tensor.nbytes());
  return tensor;
}

TrunkHead to_trunk_head(const Napi::Object& object) {
  const auto tensor = [&](const char* name) { return to_tensor(object.Get(name).As<Napi::Float32Array>()); };
  return {.weights = tensor("weights"),
          .exp_avg = tensor("expAvg"),
          .exp_avg_sq = tensor("expAvgSq"),
          .steps = integer(object, "steps")};
}

StoredDtype to_stored_dtype(const std::string& name) {
  if (name == "BF16") return StoredDtype::kBfloat16;
  return name == "F16" ? StoredDtype::kFloat16 : StoredDtype::kFloat32;
}

std::vector<TensorSource> to_tensor_sources(const Napi::Array& array) {
  std::vector<TensorSource> sources;
  sources.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(array.Env());
    const auto object = array.Get(i).As<Napi::Object>();
    sources.push_back({.name = text(object, "name"),
                       .file = text(object, "file"),
                       .dtype = to_stored_dtype(text(object, "dtype")),
                       .byte_offset = integer(object, "byteOffset"),
                       .byte_length = integer(object, "byteLength")});
  }
  return sources;
}

Napi::Float32Array to_float32_array(Napi::Env env, const std::vector<float>& values) {
  return copy_array<Napi::Float32Array>(env, values);
}
Napi::Int32Array to_int32_array(Napi::Env env, const std::vector<int32_t>& values) {
  return copy_array<Napi::Int32Array>(env, values);
}
Napi::Uint8Array to_uint8_array(Napi::Env env, const std::vector<uint8_t>& values) {
  return copy_array<Napi::Uint8Array>(env, values);
}

Napi::Object to_object(Napi::Env env, const Completion& completion) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("prompt", static_cast<double>(completion.prompt));
  object.Set("sample", static_cast<double>(completion.sample));
  object.Set("tokens", to_int32_array(env, completion.tokens));
  object.Set("logProbs", to_float32_array(env, completion.log_probs));
  object.Set("entropies", to_float32_array(env, completion.entropies));
  if (!completion.log_masses.empty()) object.Set("logMass", to_float32_array(env, completion.log_masses));
  if (!completion.kept.empty()) object.Set("keptTokens", to_uint8_array(env, completion.kept));
  object.Set("finishReason", completion.stopped ? "stop" : "length");
  return object;
}

Napi::Object to_object(Napi::Env env, const GenerateStats& stats, double seconds) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("steps", static_cast<double>(stats.steps));
  object.Set("slotSteps", static_cast<double>(stats.slot_steps));
  object.Set("liveSlotSteps", static_cast<double>(stats.live_slot_steps));
  object.Set("promptTokens", static_cast<double>(stats.prompt_tokens));
  object.Set("cachedTokens", static_cast<double>(stats.cached_tokens));
  object.Set("newTokens", static_cast<double>(stats.new_tokens));
  object.Set("seconds", seconds);
  return object;
}

Napi::Object to_object(Napi::Env env, const StepStats& stats, double seconds) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("loss", stats.loss);
  object.Set("gradNorm", stats.grad_norm);
  object.Set("entropy", stats.entropy);
  object.Set("kl", stats.kl);
  object.Set("logProbDifference", stats.log_prob_difference);
  object.Set("clipFraction", stats.clip_fraction);
  object.Set("tokens", static_cast<double>(stats.tokens));
  object.Set("measuredTokens", static_cast<double>(stats.measured_tokens));
  object.Set("totalTokens", static_cast<double>(stats.total_tokens));
  object.Set("microBatches", static_cast<double>(stats.micro_batches));
  object.Set("applied", stats.applied);
  object.Set("seconds", seconds);
  return object;
}

Napi::Object to_object(Napi::Env env, const TrunkHead& head) {
  const auto array = [&](const at::Tensor& tensor) {
    const auto* values = tensor.data_ptr<float>();
    return to_float32_array(env, {values, values + tensor.numel()});
  };
  Napi::Object object = Napi::Object::New(env);
  object.Set("weights", array(head.weights));
  object.Set("expAvg", array(head.exp_avg));
  object.Set("expAvgSq", array(head.exp_avg_sq));
  object.Set("steps", static_cast<double>(head.steps));
  return object;
}

}  // namespace zero_rl::binding
