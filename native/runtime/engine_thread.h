// The one thread that runs the engine's work, in the order of submission. ATen's OpenMP team belongs
// to the thread that enters a parallel region, so work from several threads would grow several teams.
#pragma once

#include <functional>

namespace zero_rl {

class EngineThread {
 public:
  // Process-wide, started at first use and never destroyed: the thread may outlive static destructors.
  static EngineThread& instance();

  // Tasks must not throw.
  void submit(std::function<void()> task);

 private:
  EngineThread();
  struct State;
  State* state_;
};

}  // namespace zero_rl
