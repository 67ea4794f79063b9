#include "job.h"

#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include <condition_variable>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "runtime/engine_thread.h"
#include "runtime/error.h"
#include "runtime/profiler.h"

namespace zero_rl::binding {

namespace {

struct Failure {
  std::string code;
  std::string message;
};

Failure out_of_memory() {
  return {"ERR_ZERO_RL_OUT_OF_MEMORY",
          "The engine ran out of memory; lower the batch (maxBatch, memoryBudgetMiB) or the number of tokens"};
}

Failure current_failure() {
  try {
    throw;
  } catch (const Error& error) {
    return {error.code(), error.what()};
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    if (text.find("allocate memory") != std::string::npos) return out_of_memory();
    return {"ERR_ZERO_RL_NATIVE", text};
  } catch (const std::exception& error) {
    return {"ERR_ZERO_RL_NATIVE", error.what()};
  }
}

Napi::Value error_value(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.message);
  error.Set("code", Napi::String::New(env, failure.code));
  return error.Value();
}

}  // namespace

struct Job::Shared {
  explicit Shared(Napi::Env env) : env(env), deferred(Napi::Promise::Deferred::New(env)) {}

  Napi::Env env;
  Napi::Promise::Deferred deferred;
  Napi::ThreadSafeFunction calls;
  std::shared_ptr<AbortFlag> abort;

  // Whether the engine may still use `calls`.
  std::mutex mutex;
  std::condition_variable released;
  bool in_use = true;

  void release() {
    {
      const std::lock_guard lock(mutex);
      in_use = false;
    }
    released.notify_all();
  }

  // The environment ends: nobody will see the result.
  static void on_environment_end(void* data) {
    Shared* shared = static_cast<Shared*>(data);
    shared->abort->set();
    std::unique_lock lock(shared->mutex);
    shared->released.wait(lock, [shared] { return !shared->in_use; });
  }
};

void Job::post(std::function<Napi::Value(Napi::Env)> argument) {
  using Argument = std::function<Napi::Value(Napi::Env)>;
  auto* data = new Argument(std::move(argument));
  const napi_status status =
      shared_->calls.BlockingCall(data, [](Napi::Env env, Napi::Function progress, Argument* value) {
        const std::unique_ptr<Argument> owned(value);
        if (env == nullptr) return;
        progress.Call({(*owned)(env)});
      });
  if (status != napi_ok) delete data;
}

Napi::Promise Job::start(Napi::Env env, std::shared_ptr<AbortFlag> abort, Work work, const Napi::Function& progress) {
  auto shared = std::make_shared<Shared>(env);
  shared->abort = abort;
  const Napi::Function callback =
      progress.IsEmpty() ? Napi::Function::New(env, [](const Napi::CallbackInfo&) {}) : progress;
  shared->calls = Napi::ThreadSafeFunction::New(env, callback, "zero-rl job", 0, 1);
  napi_add_env_cleanup_hook(env, Shared::on_environment_end, shared.get());

  EngineThread::instance().submit([shared, abort, work = std::move(work)]() mutable {
    std::optional<Failure> failure;
    Finish finish;
    {
      const c10::InferenceMode inference;
      profiler::begin_job();
      const profiler::Scope section(profiler::Section::kJob);
      try {
        abort->check();
        Job job(shared, abort);
        finish = work(job);
      } catch (...) {
        failure = current_failure();
      }
      work = nullptr;  // what it holds is freed here, on the engine thread
    }
    struct Outcome {
      std::shared_ptr<Shared> shared;
      Finish finish;
      std::optional<Failure> failure;
    };
    auto* outcome = new Outcome{shared, std::move(finish), std::move(failure)};
    const napi_status status =
        shared->calls.BlockingCall(outcome, [](Napi::Env env, Napi::Function, Outcome* value) {
          const std::unique_ptr<Outcome> owned(value);
          if (env == nullptr) return;
          Shared& job = *owned->shared;
          napi_remove_env_cleanup_hook(env, Shared::on_environment_end, &job);
          if (owned->failure) {
            job.deferred.Reject(error_value(env, *owned->failure));
          } else {
            job.deferred.Resolve(owned->finish ? owned->finish(env) : env.Undefined());
          }
        });
    if (status != napi_ok) delete outcome;
    shared->calls.Release();
    shared->release();
  });
  return shared->deferred.Promise();
}

}  // namespace zero_rl::binding
