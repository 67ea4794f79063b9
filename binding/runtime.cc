#include "runtime.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "job.h"
#include "runtime/engine_thread.h"
#include "runtime/error.h"
#include "runtime/memory_budget.h"
#include "runtime/parallel.h"
#include "runtime/workspace.h"

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

Napi::Value report_exit(const Napi::CallbackInfo& info) {
  std::atexit([] {
    const std::string_view said = EngineThread::instance().ended() ? "the engine has ended\n" : "the engine is at work\n";
    if (write(STDOUT_FILENO, said.data(), said.size()) < 0) std::abort();
  });
  return info.Env().Undefined();
}

// Bytes that a workspace holds after each pass, a list of the bytes it takes; a number instead of a list trims it to that.
Napi::Value workspace_history(const Napi::CallbackInfo& info) {
  const auto passes = info[0].As<Napi::Array>();
  Napi::Array held = Napi::Array::New(info.Env(), passes.Length());
  Workspace workspace;
  for (uint32_t i = 0; i < passes.Length(); ++i) {
    const Napi::HandleScope scope(info.Env());
    const Napi::Value pass = passes.Get(i);
    if (pass.IsNumber()) {
      workspace.trim(static_cast<size_t>(pass.As<Napi::Number>().Int64Value()));
    } else {
      const Workspace::Mark mark = workspace.mark();
      const auto sizes = pass.As<Napi::Array>();
      std::vector<at::Tensor> taken;
      for (uint32_t j = 0; j < sizes.Length(); ++j) {
        taken.push_back(workspace.take({sizes.Get(j).As<Napi::Number>().Int64Value()}, at::kByte));
        auto* data = taken.back().data_ptr<uint8_t>();
        data[0] = data[taken.back().numel() - 1] = static_cast<uint8_t>(j);
      }
      for (size_t j = 0; j < taken.size(); ++j) {
        const auto* data = taken[j].data_ptr<uint8_t>();
        if (data[0] != j || data[taken[j].numel() - 1] != j) throw native_error("Tensors overlap");
      }
      workspace.release(mark);
    }
    held.Set(i, static_cast<double>(workspace.held_bytes()));
  }
  return held;
}

}  // namespace

void registerRuntime(Napi::Env env, Napi::Object exports) {
  exports.Set("machineMemory", Napi::Function::New(env, machine_memory, "machineMemory"));
  exports.Set("poolFailure", Napi::Function::New(env, pool_failure, "poolFailure"));
  exports.Set("reportExit", Napi::Function::New(env, report_exit, "reportExit"));
  exports.Set("workspaceHistory", Napi::Function::New(env, workspace_history, "workspaceHistory"));
}

}  // namespace zero_rl::binding
