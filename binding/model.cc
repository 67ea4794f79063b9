#include "model.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "abort_flag_wrap.h"
#include "convert.h"
#include "job.h"
#include "learn/trunk_critic.h"
#include "model/initialize.h"
#include "runtime/engine_thread.h"
#include "runtime/error.h"
#include "runtime/profiler.h"
#include "session.h"

namespace zero_rl::binding {

namespace {

using profiler::Scope;
using profiler::Section;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void check_finite(const std::vector<float>& values) {
  if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) {
    throw not_finite_error("scored with");
  }
}

class NativeModel : public Napi::ObjectWrap<NativeModel> {
 public:
  explicit NativeModel(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NativeModel>(info) {
    const auto options = info[1].As<Napi::Object>();
    const auto text = [&](const char* name) { return options.Get(name).As<Napi::String>().Utf8Value(); };
    session_ = std::make_shared<Session>(
        to_description(info[0].As<Napi::Object>()),
        EngineOptions{.device = text("device"),
                      .on_device = options.Get("deviceEngine").ToBoolean().Value(),
                      .dtype = text("dtype") == "bfloat16" ? at::kBFloat16 : at::kFloat,
                      .masters = options.Get("masterWeights").ToBoolean().Value(),
                      .moments = text("moments"),
                      .memory_bytes = options.Get("memoryBytes").As<Napi::Number>().Int64Value()},
        options.Get("threads").As<Napi::Number>().Int32Value());
  }
  ~NativeModel() override { release(); }

  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeModel",
                       {
                           InstanceMethod<&NativeModel::parameters>("parameters"),
                           InstanceMethod<&NativeModel::load>("load"),
                           InstanceMethod<&NativeModel::initialize>("initialize"),
                           InstanceMethod<&NativeModel::sample>("sample"),
                           InstanceMethod<&NativeModel::set_token_bytes>("setTokenBytes"),
                           InstanceMethod<&NativeModel::log_probs>("logProbs"),
                           InstanceMethod<&NativeModel::step>("step"),
                           InstanceMethod<&NativeModel::trunk_values>("trunkValues"),
                           InstanceMethod<&NativeModel::trunk_step>("trunkStep"),
                           InstanceMethod<&NativeModel::read_parameter>("readParameter"),
                           InstanceMethod<&NativeModel::read_state>("readState"),
                           InstanceMethod<&NativeModel::write_state>("writeState"),
                           InstanceMethod<&NativeModel::follow>("follow"),
                           InstanceMethod<&NativeModel::dispose>("dispose"),
                           InstanceAccessor<&NativeModel::state_size>("stateSize"),
                           InstanceAccessor<&NativeModel::optimizer_steps, &NativeModel::set_optimizer_steps>(
                               "optimizerSteps"),
                       });
  }

 private:
  std::shared_ptr<Session> session() const {
    if (session_ == nullptr) throw Napi::Error::New(Env(), "The model was disposed");
    return session_;
  }

  // The last reference may be a queued job's; large buffers are not freed on the event loop.
  void release() {
    if (session_ == nullptr) return;
    EngineThread::instance().submit([session = std::exchange(session_, nullptr)]() mutable { session.reset(); });
  }

  Napi::Value parameters(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const auto& all = session()->engine().parameters().parameters();
    Napi::Array result = Napi::Array::New(env, all.size());
    for (uint32_t i = 0; i < all.size(); ++i) {
      Napi::Array shape = Napi::Array::New(env, all[i].shape.size());
      for (uint32_t d = 0; d < all[i].shape.size(); ++d) shape.Set(d, static_cast<double>(all[i].shape[d]));
      Napi::Object item = Napi::Object::New(env);
      item.Set("name", all[i].name);
      item.Set("shape", shape);
      result.Set(i, item);
    }
    return result;
  }

  Napi::Value load(const Napi::CallbackInfo& info) {
    return Job::start(info.Env(), std::make_shared<AbortFlag>(),
                      [session = session(), sources = to_tensor_sources(info[0].As<Napi::Array>())](Job&) -> Finish {
                        const Scope section(Section::kLoad);
                        const auto entered = session->enter();
                        load_checkpoint(session->engine().parameters(), sources);
                        return nullptr;
                      });
  }

  Napi::Value initialize(const Napi::CallbackInfo& info) {
    const auto seed = static_cast<uint64_t>(info[0].As<Napi::Number>().DoubleValue());
    const double std = info[1].As<Napi::Number>().DoubleValue();
    return Job::start(info.Env(), std::make_shared<AbortFlag>(), [session = session(), seed, std](Job&) -> Finish {
      const Scope section(Section::kInitialize);
      const auto entered = session->enter();
      const Engine& engine = session->engine();
      zero_rl::initialize(engine.parameters(), engine.description(), seed, std);
      return nullptr;
    });
  }

  Napi::Value sample(const Napi::CallbackInfo& info) {
    return Job::join(
        info.Env(), AbortFlagWrap::flag(info[2]),
        [session = session(),
         request = to_generate_request(info[0].As<Napi::Object>(), token_bytes_)](std::shared_ptr<Job> job) {
          Submission submission{.request = request, .abort = job->abort_flag(), .deliver = {}, .end = {}};
          submission.deliver = [job](std::vector<Completion> completions) {
            job->post([completions = std::move(completions)](Napi::Env env) -> Napi::Value {
              Napi::Array array = Napi::Array::New(env, completions.size());
              for (uint32_t i = 0; i < completions.size(); ++i) {
                const Napi::HandleScope scope(env);
                array.Set(i, to_object(env, completions[i]));
              }
              return array;
            });
          };
          submission.end = [job, start = std::chrono::steady_clock::now()](const GenerateStats& stats,
                                                                           const std::exception_ptr& error) {
            if (error != nullptr) return job->fail(error);
            job->settle([stats, seconds = seconds_since(start)](Napi::Env env) { return to_object(env, stats, seconds); });
          };
          session->submit(std::move(submission));
        },
        info[1].As<Napi::Function>());
  }

  void set_token_bytes(const Napi::CallbackInfo& info) {
    const auto bytes = info[0].As<Napi::Uint8Array>();
    const auto ends = info[1].As<Napi::Int32Array>();
    token_bytes_ = std::make_shared<TokenBytes>(
        std::string(reinterpret_cast<const char*>(bytes.Data()), bytes.ElementLength()),
        std::vector<int32_t>(ends.Data(), ends.Data() + ends.ElementLength()));
  }

  Napi::Value log_probs(const Napi::CallbackInfo& info) {
    const auto temperature = static_cast<float>(info[1].As<Napi::Number>().DoubleValue());
    return Job::start(info.Env(), AbortFlagWrap::flag(info[2]),
                      [session = session(), sequences = to_sequences(info[0].As<Napi::Object>()),
                       temperature](Job& job) mutable -> Finish {
                        const auto entered = session->enter();
                        sequences.read_kept(session->engine().description().vocab_size);
                        auto values = session->engine().log_probs(sequences, temperature, job.abort());
                        check_finite(values);
                        return [values = std::move(values)](Napi::Env env) { return to_float32_array(env, values); };
                      });
  }

  Napi::Value step(const Napi::CallbackInfo& info) {
    return Job::start(
        info.Env(), AbortFlagWrap::flag(info[1]),
        [session = session(), request = to_step_request(info[0].As<Napi::Object>())](Job& job) mutable -> Finish {
          const auto entered = session->enter();
          const auto start = std::chrono::steady_clock::now();
          request.sequences.read_kept(session->engine().description().vocab_size);
          const StepStats stats = session->engine().step(request, job.abort());
          return [stats, seconds = seconds_since(start)](Napi::Env env) { return to_object(env, stats, seconds); };
        });
  }

  Napi::Value trunk_values(const Napi::CallbackInfo& info) {
    return Job::start(info.Env(), AbortFlagWrap::flag(info[2]),
                      [session = session(), sequences = to_sequences(info[0].As<Napi::Object>()),
                       weights = to_tensor(info[1].As<Napi::Float32Array>())](Job& job) -> Finish {
                        const auto entered = session->enter();
                        auto values = zero_rl::trunk_values(session->engine(), sequences, weights, job.abort());
                        check_finite(values);
                        return [values = std::move(values)](Napi::Env env) { return to_float32_array(env, values); };
                      });
  }

  Napi::Value trunk_step(const Napi::CallbackInfo& info) {
    return Job::start(
        info.Env(), AbortFlagWrap::flag(info[2]),
        [session = session(), request = to_step_request(info[0].As<Napi::Object>()),
         head = to_trunk_head(info[1].As<Napi::Object>())](Job& job) mutable -> Finish {
          const auto entered = session->enter();
          const auto start = std::chrono::steady_clock::now();
          const StepStats stats = zero_rl::trunk_step(session->engine(), request, head, job.abort());
          return [stats, head = std::move(head), seconds = seconds_since(start)](Napi::Env env) {
            Napi::Object result = to_object(env, stats, seconds);
            result.Set("head", to_object(env, head));
            return result;
          };
        });
  }

  static Finish bytes_of(const at::Tensor& values) {
    const auto* data = static_cast<const uint8_t*>(values.data_ptr());
    return [bytes = std::vector<uint8_t>(data, data + values.nbytes())](Napi::Env env) {
      return to_uint8_array(env, bytes);
    };
  }

  static std::vector<float> to_floats(const Napi::Uint8Array& bytes) {
    std::vector<float> values(bytes.ByteLength() / sizeof(float));
    std::memcpy(values.data(), bytes.Data(), values.size() * sizeof(float));
    return values;
  }

  Napi::Value read_parameter(const Napi::CallbackInfo& info) {
    return Job::start(info.Env(), std::make_shared<AbortFlag>(),
                      [session = session(), name = info[0].As<Napi::String>().Utf8Value(),
                       dtype = to_stored_dtype(info[1].As<Napi::String>().Utf8Value())](Job&) -> Finish {
                        const Scope section(Section::kReadState);
                        const auto entered = session->enter();
                        const ParameterStore& store = session->engine().parameters();
                        const Parameter& parameter = store.find(name);
                        return bytes_of(
                            session->read_masters(parameter.offset, parameter.size).to(scalar_type(dtype)));
                      });
  }

  Napi::Value read_state(const Napi::CallbackInfo& info) {
    const int64_t start = info[1].As<Napi::Number>().Int64Value();
    const int64_t count = info[2].As<Napi::Number>().Int64Value();
    return Job::start(info.Env(), std::make_shared<AbortFlag>(),
                      [session = session(), name = info[0].As<Napi::String>().Utf8Value(), start,
                       count](Job&) -> Finish {
                        const Scope section(Section::kReadState);
                        const auto entered = session->enter();
                        return bytes_of(session->read_state(name, start, count));
                      });
  }

  Napi::Value write_state(const Napi::CallbackInfo& info) {
    const int64_t start = info[1].As<Napi::Number>().Int64Value();
    const auto array = info[2].As<Napi::Uint8Array>();
    return Job::start(info.Env(), std::make_shared<AbortFlag>(),
                      [session = session(), name = info[0].As<Napi::String>().Utf8Value(), start,
                       values = to_floats(array)](Job&) -> Finish {
                        const Scope section(Section::kWriteState);
                        const auto entered = session->enter();
                        session->write_state(name, start, values);
                        return nullptr;
                      });
  }

  Napi::Value follow(const Napi::CallbackInfo& info) {
    const double rate = info[1].As<Napi::Number>().DoubleValue();
    return Job::start(info.Env(), std::make_shared<AbortFlag>(),
                      [session = session(), other = Unwrap(info[0].As<Napi::Object>())->session(),
                       rate](Job&) -> Finish {
                        const Scope section(Section::kFollow);
                        const auto entered = session->enter();
                        session->engine().parameters().follow(other->engine().parameters(), static_cast<float>(rate));
                        return nullptr;
                      });
  }

  Napi::Value state_size(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(session()->engine().parameters().size()));
  }
  Napi::Value optimizer_steps(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(session()->engine().steps()));
  }
  void set_optimizer_steps(const Napi::CallbackInfo&, const Napi::Value& value) {
    session()->engine().set_steps(value.As<Napi::Number>().Int64Value());
  }
  void dispose(const Napi::CallbackInfo&) { release(); }

  std::shared_ptr<Session> session_;
  std::shared_ptr<const TokenBytes> token_bytes_;
};

}  // namespace

void registerModel(Napi::Env env, Napi::Object exports) {
  exports.Set("AbortFlag", AbortFlagWrap::define(env));
  exports.Set("NativeModel", NativeModel::define(env));
}

}  // namespace zero_rl::binding
