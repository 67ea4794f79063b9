// One promise: work on the engine thread, its result on the event loop.
//
// Node frees thread-safe functions when an environment ends, also while other threads hold them. So every
// job registers a cleanup hook after its thread-safe function: hooks run in reverse order, and ours aborts
// the work and waits until the engine has let go.
#pragma once

#include <napi.h>

#include <exception>
#include <functional>
#include <memory>

#include "runtime/abort_flag.h"

namespace zero_rl::binding {

class Job;

// Runs on the engine thread; returns what makes the promise's value on the event loop.
using Finish = std::function<Napi::Value(Napi::Env)>;
using Work = std::function<Finish(Job&)>;
// Runs on the engine thread and leaves the job to work that goes on there, which settles it or lets it fail.
using Begin = std::function<void(std::shared_ptr<Job>)>;

class Job {
 public:
  // Work that runs when all that was started before it is done. `progress` may be empty; it is called by post().
  static Napi::Promise start(Napi::Env env, std::shared_ptr<AbortFlag> abort, Work work,
                             const Napi::Function& progress = Napi::Function());
  // Work that joins what is under way, once all other work that was started before it is done.
  static Napi::Promise join(Napi::Env env, std::shared_ptr<AbortFlag> abort, Begin begin,
                            const Napi::Function& progress);

  const AbortFlag& abort() const { return *abort_; }
  const std::shared_ptr<AbortFlag>& abort_flag() const { return abort_; }

  // All from the engine thread.
  // Calls progress on the event loop, in order, before the promise settles.
  void post(std::function<Napi::Value(Napi::Env)> argument);
  // Resolves or rejects the promise; the last thing that is done with a job.
  void settle(Finish finish);
  void fail(const std::exception_ptr& error);

 private:
  struct Shared;
  struct Failure;
  Job(Napi::Env env, std::shared_ptr<AbortFlag> abort, const Napi::Function& progress);
  void end(Finish finish, std::unique_ptr<Failure> failure);

  std::shared_ptr<Shared> shared_;
  std::shared_ptr<AbortFlag> abort_;
};

}  // namespace zero_rl::binding
