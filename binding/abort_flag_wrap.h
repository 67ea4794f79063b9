// The abort flag of a call as JavaScript sets it.
#pragma once

#include <napi.h>

#include <memory>

#include "runtime/abort_flag.h"

namespace zero_rl::binding {

class AbortFlagWrap : public Napi::ObjectWrap<AbortFlagWrap> {
 public:
  explicit AbortFlagWrap(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<AbortFlagWrap>(info), flag_(std::make_shared<AbortFlag>()) {}

  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "AbortFlag", {InstanceMethod<&AbortFlagWrap::abort>("abort")});
  }
  static std::shared_ptr<AbortFlag> flag(const Napi::Value& value) {
    return Unwrap(value.As<Napi::Object>())->flag_;
  }

 private:
  void abort(const Napi::CallbackInfo&) { flag_->set(); }
  std::shared_ptr<AbortFlag> flag_;
};

}  // namespace zero_rl::binding
