// One promise: work on the engine thread, its result on the event loop.
//
// Node frees thread-safe functions when an environment ends, also while other threads hold them. So every
// job registers a cleanup hook after its thread-safe function: hooks run in reverse order, and ours aborts
// the work and waits until the engine has let go.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>

#include "runtime/abort_flag.h"

namespace zero_rl::binding {

class Job;

// Runs on the engine thread; returns what makes the promise's value on the event loop.
using Finish = std::function<Napi::Value(Napi::Env)>;
using Work = std::function<Finish(Job&)>;

class Job {
 public:
  // `progress` may be empty; it is called by post().
  static Napi::Promise start(Napi::Env env, std::shared_ptr<AbortFlag> abort, Work work,
                             const Napi::Function& progress = Napi::Function());

  const AbortFlag& abort() const { return *abort_; }

  // From the engine thread: calls progress on the event loop, in order, before the promise settles.
  void post(std::function<Napi::Value(Napi::Env)> argument);

 private:
  struct Shared;
  Job(std::shared_ptr<Shared> shared, std::shared_ptr<AbortFlag> abort)
      : shared_(std::move(shared)), abort_(std::move(abort)) {}
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<AbortFlag> abort_;
};

}  // namespace zero_rl::binding
