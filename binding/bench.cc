#include "bench.h"

#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/recorded_step.h"
#include "bench/run_case.h"
#include "device/measure_device.h"
#include "job.h"
#include "runtime/profiler.h"
#include "runtime/thread_pool.h"

namespace zero_rl::binding {

namespace {

// ATen's own, for the twins, and the engine's.
void use_threads(int threads) {
  ThreadPool::instance().set_threads(threads);
  if (at::get_num_threads() != threads) at::set_num_threads(threads);
}

Napi::Object to_object(Napi::Env env, const bench::Peak& peak) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("own", peak.own);
  object.Set("aten", peak.aten);
  object.Set("tiles", peak.tiles);
  return object;
}

Napi::Object to_object(Napi::Env env, const bench::Machine& machine) {
  Napi::Array bandwidth = Napi::Array::New(env, machine.bandwidth.size());
  for (uint32_t i = 0; i < machine.bandwidth.size(); ++i) {
    Napi::Object level = Napi::Object::New(env);
    level.Set("bytes", static_cast<double>(machine.bandwidth[i].bytes));
    level.Set("read", machine.bandwidth[i].read);
    level.Set("copy", machine.bandwidth[i].copy);
    bandwidth.Set(i, level);
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("bandwidth", bandwidth);
  object.Set("float32", to_object(env, machine.float32));
  object.Set("bfloat16", to_object(env, machine.bfloat16));
  object.Set("forkJoin", machine.fork_join);
  return object;
}

Napi::Value measure_machine(const Napi::CallbackInfo& info) {
  const int threads = info[0].As<Napi::Number>().Int32Value();
  const int samples = info[1].As<Napi::Number>().Int32Value();
  return Job::start(info.Env(), std::make_shared<AbortFlag>(), [threads, samples](Job& job) -> Finish {
    const profiler::Scope section(profiler::Section::kMeasureMachine);
    use_threads(threads);
    const bench::Machine machine = bench::measure_machine(samples, job.abort());
    return [machine](Napi::Env env) -> Napi::Value { return to_object(env, machine); };
  });
}

struct KernelRequest {
  std::string kernel;
  at::ScalarType dtype;
  std::map<std::string, int64_t> sizes;
  uint64_t seed;
  int threads;
  int samples;
  double seconds;
  bool compare;
};

KernelRequest to_kernel_request(const Napi::Object& object) {
  KernelRequest request;
  request.kernel = object.Get("kernel").As<Napi::String>().Utf8Value();
  request.dtype = object.Get("dtype").As<Napi::String>().Utf8Value() == "bfloat16" ? at::kBFloat16 : at::kFloat;
  const auto sizes = object.Get("sizes").As<Napi::Object>();
  const Napi::Array names = sizes.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const Napi::Value name = names.Get(i);
    request.sizes[name.As<Napi::String>().Utf8Value()] = sizes.Get(name).As<Napi::Number>().Int64Value();
  }
  request.seed = static_cast<uint64_t>(object.Get("seed").As<Napi::Number>().Int64Value());
  request.threads = object.Get("threads").As<Napi::Number>().Int32Value();
  request.samples = object.Get("samples").As<Napi::Number>().Int32Value();
  request.seconds = object.Get("seconds").As<Napi::Number>().DoubleValue();
  request.compare = object.Get("compare").As<Napi::Boolean>().Value();
  return request;
}

Napi::Array to_array(Napi::Env env, const std::vector<double>& values) {
  Napi::Array array = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); ++i) array.Set(i, values[i]);
  return array;
}

Napi::Object to_object(Napi::Env env, const std::vector<bench::Difference>& differences) {
  Napi::Object object = Napi::Object::New(env);
  for (const bench::Difference& difference : differences) object.Set(difference.output, difference.largest);
  return object;
}

Napi::Value run_kernel(const Napi::CallbackInfo& info) {
  return Job::start(
      info.Env(), std::make_shared<AbortFlag>(),
      [request = to_kernel_request(info[0].As<Napi::Object>())](Job& job) -> Finish {
        const profiler::Scope section(profiler::Section::kRunKernel);
        use_threads(request.threads);
        const auto kernel_case =
            bench::make_case(request.kernel, request.dtype, bench::Sizes(request.sizes), request.seed);
        const auto differences = request.compare ? bench::compare_with_twin(kernel_case, request.dtype)
                                                 : std::vector<bench::Difference>();
        const auto times =
            bench::time_case(kernel_case, request.dtype, request.samples, request.seconds, job.abort());
        return [times, differences, bytes = kernel_case.bytes, flops = kernel_case.flops](Napi::Env env) -> Napi::Value {
          Napi::Object object = Napi::Object::New(env);
          object.Set("seconds", to_array(env, times.kernel));
          object.Set("twinSeconds", to_array(env, times.twin));
          object.Set("bytes", bytes);
          object.Set("flops", flops);
          object.Set("differences", to_object(env, differences));
          return object;
        };
      });
}

Napi::Value compare_operator(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  const std::string name = options.Get("runner").As<Napi::String>().Utf8Value();
  const bench::Runner runner = name == "cuda"        ? bench::Runner::kCuda
                               : name == "emulation" ? bench::Runner::kEmulation
                                                     : bench::Runner::kSerial;
  return Job::start(info.Env(), std::make_shared<AbortFlag>(),
                    [request = to_kernel_request(options), runner](Job&) -> Finish {
                      use_threads(request.threads);
                      const auto differences = bench::compare_with_twin(
                          bench::make_operator_case(request.kernel, request.dtype, bench::Sizes(request.sizes), request.seed),
                          runner);
                      return [differences](Napi::Env env) -> Napi::Value { return to_object(env, differences); };
                    });
}

// Names of the operators that have a kernel for a device: all that the dispatcher knows, also from libraries loaded later.
Napi::Value operators_for(const Napi::CallbackInfo& info) {
  const bool cuda = info[0].As<Napi::String>().Utf8Value() == "cuda";
  const auto key = cuda ? c10::DispatchKey::CUDA : c10::DispatchKey::CPU;
  Napi::Array names = Napi::Array::New(info.Env());
  for (const c10::OperatorName& name : c10::Dispatcher::singleton().getRegistrationsForDispatchKey(key)) {
    const auto space = name.getNamespace();
    if (space.has_value() && *space == "zero_rl") {
      names.Set(names.Length(), name.name.substr(name.name.find("::") + 2));
    }
  }
  return names;
}

Napi::Value measure_device(const Napi::CallbackInfo& info) {
  return Job::start(info.Env(), std::make_shared<AbortFlag>(),
                    [device = info[0].As<Napi::String>().Utf8Value()](Job&) -> Finish {
                      const DeviceCeilings ceilings = zero_rl::measure_device(device);
                      return [ceilings](Napi::Env env) -> Napi::Value {
                        Napi::Object object = Napi::Object::New(env);
                        object.Set("copy", ceilings.copy);
                        object.Set("product", ceilings.product);
                        return object;
                      };
                    });
}

Napi::Value run_recorded_step(const Napi::CallbackInfo& info) {
  return Job::start(info.Env(), std::make_shared<AbortFlag>(),
                    [device = info[0].As<Napi::String>().Utf8Value(),
                     name = info[1].As<Napi::String>().Utf8Value()](Job&) -> Finish {
                      const std::vector<double> values = bench::run_recorded_step(device, name);
                      return [values](Napi::Env env) -> Napi::Value { return to_array(env, values); };
                    });
}

}  // namespace

void registerBench(Napi::Env env, Napi::Object exports) {
  exports.Set("measureDevice", Napi::Function::New(env, measure_device, "measureDevice"));
  exports.Set("measureMachine", Napi::Function::New(env, measure_machine, "measureMachine"));
  exports.Set("runKernel", Napi::Function::New(env, run_kernel, "runKernel"));
  exports.Set("compareOperator", Napi::Function::New(env, compare_operator, "compareOperator"));
  exports.Set("runRecordedStep", Napi::Function::New(env, run_recorded_step, "runRecordedStep"));
  exports.Set("operatorsFor", Napi::Function::New(env, operators_for, "operatorsFor"));
}

}  // namespace zero_rl::binding
