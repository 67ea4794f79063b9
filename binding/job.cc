#include "job.h"

#include <c10/util/Exception.h>

#include <condition_variable>
#include <mutex>
#include <new>
#include <string>
#include <utility>

#include "runtime/engine_thread.h"
#include "runtime/error.h"
#include "runtime/profiler.h"

namespace zero_rl::binding {

struct Job::Failure {
  std::string code;
  std::string message;

  static Failure of(const std::exception_ptr& error);
  static Failure out_of_memory();
  Napi::Value value(Napi::Env env) const;
};

Job::Failure Job::Failure::out_of_memory() {
  return {"ERR_ZERO_RL_OUT_OF_MEMORY",
          "The engine ran out of memory; lower the batch (maxBatch, memoryBudgetMiB) or the number of tokens"};
}

Job::Failure Job::Failure::of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
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

Napi::Value Job::Failure::value(Napi::Env env) const {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error.Value();
}

struct Job::Shared {
  explicit Shared(Napi::Env env) : env(env), deferred(Napi::Promise::Deferred::New(env)) {}

  Napi::Env env;
  Napi::Promise::Deferred deferred;
  Napi::ThreadSafeFunction calls;
  std::shared_ptr<AbortFlag> abort;

  // Of the environment's thread: what its cleanup hook points to.
  std::shared_ptr<Shared> registered;

  // The engine may use `calls` from the beginning of its work until it releases them.
  enum class State { kQueued, kInUse, kReleased };
  std::mutex mutex;
  std::condition_variable released;
  State state = State::kQueued;

  // False where the environment has ended meanwhile.
  bool begin() {
    const std::lock_guard lock(mutex);
    if (state == State::kReleased) return false;
    state = State::kInUse;
    return true;
  }
  void release() {
    const std::lock_guard lock(mutex);
    state = State::kReleased;
    released.notify_all();
  }

  // The environment ends: nobody will see the result. A job that waits for others is not waited for.
  static void on_environment_end(void* data) {
    const std::shared_ptr<Shared> shared = std::exchange(static_cast<Shared*>(data)->registered, nullptr);
    shared->abort->set();
    std::unique_lock lock(shared->mutex);
    if (shared->state == State::kQueued) shared->state = State::kReleased;
    shared->released.wait(lock, [&] { return shared->state == State::kReleased; });
  }
};

void Job::post(std::function<Napi::Value(Napi::Env)> argument) {
  if (AbortFlag::all_set()) return;
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

Job::Job(Napi::Env env, std::shared_ptr<AbortFlag> abort, const Napi::Function& progress)
    : shared_(std::make_shared<Shared>(env)), abort_(std::move(abort)) {
  shared_->abort = abort_;
  const Napi::Function callback =
      progress.IsEmpty() ? Napi::Function::New(env, [](const Napi::CallbackInfo&) {}) : progress;
  shared_->calls = Napi::ThreadSafeFunction::New(env, callback, "zero-rl job", 0, 1);
  shared_->registered = shared_;
  napi_add_env_cleanup_hook(env, Shared::on_environment_end, shared_.get());
}

Napi::Promise Job::start(Napi::Env env, std::shared_ptr<AbortFlag> abort, Work work, const Napi::Function& progress) {
  const std::shared_ptr<Job> job(new Job(env, std::move(abort), progress));
  EngineThread::instance().submit([job, work = std::move(work)]() mutable {
    if (!job->shared_->begin()) return;
    std::exception_ptr error;
    Finish finish;
    {
      profiler::begin_job();
      const profiler::Scope section(profiler::Section::kJob);
      try {
        job->abort().check();
        finish = work(*job);
      } catch (...) {
        error = std::current_exception();
      }
      work = nullptr;  // what it holds is freed here, on the engine thread
    }
    error == nullptr ? job->settle(std::move(finish)) : job->fail(error);
  });
  return job->shared_->deferred.Promise();
}

Napi::Promise Job::join(Napi::Env env, std::shared_ptr<AbortFlag> abort, Begin begin, const Napi::Function& progress) {
  const std::shared_ptr<Job> job(new Job(env, std::move(abort), progress));
  EngineThread::instance().join([job, begin = std::move(begin)]() mutable {
    if (!job->shared_->begin()) return;
    profiler::begin_job();
    const profiler::Scope section(profiler::Section::kJob);
    try {
      job->abort().check();
      begin(job);
    } catch (...) {
      job->fail(std::current_exception());
    }
    begin = nullptr;
  });
  return job->shared_->deferred.Promise();
}

void Job::settle(Finish finish) { end(std::move(finish), nullptr); }

void Job::fail(const std::exception_ptr& error) { end(nullptr, std::make_unique<Failure>(Failure::of(error))); }

void Job::end(Finish finish, std::unique_ptr<Failure> failure) {
  if (AbortFlag::all_set()) return shared_->release();  // nobody listens when the process ends
  struct Outcome {
    std::shared_ptr<Shared> shared;
    Finish finish;
    std::unique_ptr<Failure> failure;
  };
  auto* outcome = new Outcome{shared_, std::move(finish), std::move(failure)};
  const napi_status status =
      shared_->calls.BlockingCall(outcome, [](Napi::Env env, Napi::Function, Outcome* value) {
        const std::unique_ptr<Outcome> owned(value);
        if (env == nullptr) return;
        Shared& job = *owned->shared;
        napi_remove_env_cleanup_hook(env, Shared::on_environment_end, &job);
        job.registered = nullptr;
        if (owned->failure) {
          job.deferred.Reject(owned->failure->value(env));
        } else {
          job.deferred.Resolve(owned->finish ? owned->finish(env) : env.Undefined());
        }
      });
  if (status != napi_ok) delete outcome;
  shared_->calls.Release();
  shared_->release();
}

}  // namespace zero_rl::binding
