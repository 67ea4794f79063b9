#include "runtime.h"

#include <atomic>
#include <memory>
#include <new>
#include <string>

#include "job.h"
#include "runtime/error.h"
#include "runtime/memory_budget.h"
#include "runtime/parallel.h"

namespace zero_rl::binding {

namespace {

Napi::Value machine_memory(const Napi::CallbackInfo& info) {
  const MemoryBudget memory = info[0].IsString()
                                  ? zero_rl::machine_memory(info[0].As<Napi::String>().Utf8Value())
                                  : zero_rl::machine_memory();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("limit", static_cast<double>(memory.limit));
  object.Set("available", static_cast<double>(memory.available));
  return object;
}

Napi::Value pool_failure(const Napi::CallbackInfo& info) {
  const int threads = info[0].As<Napi::Number>().Int32Value();
  const int failing = info[1].As<Napi::Number>().Int32Value();
  return Job::start(info.Env(), std::make_shared<AbortFlag>(), [threads, failing](Job&) -> Finish {
    ThreadPool::instance().set_threads(threads);
    std::atomic<int> ended{0};
    std::atomic<bool> thrown{failing < 0};
    try {
      parallel_threads(threads, [&](int thread) {
        if (thread == failing) {
          thrown = true;
          throw std::bad_alloc();
        }
        while (!thrown) {
        }
        ++ended;
      });
    } catch (const std::bad_alloc&) {
      if (ended != threads - 1) throw native_error("The failure was told before all threads had ended");
      throw;
    }
    return [ended = ended.load()](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, ended); };
  });
}

}  // namespace

void registerRuntime(Napi::Env env, Napi::Object exports) {
  exports.Set("machineMemory", Napi::Function::New(env, machine_memory, "machineMemory"));
  exports.Set("poolFailure", Napi::Function::New(env, pool_failure, "poolFailure"));
}

}  // namespace zero_rl::binding
