// The one thread that runs the engine's work, in the order of submission. ATen's OpenMP team belongs
// to the thread that enters a parallel region, so work from several threads would grow several teams.
#pragma once

#include <functional>

namespace zero_rl {

class EngineThread {
 public:
  // Process-wide, started at first use and never destroyed: the thread may outlive static destructors.
  static EngineThread& instance();

  // Runs the task once everything submitted before it is done, turns included. Tasks must not throw.
  void submit(std::function<void()> task);
  // Runs the task once the tasks submitted before it have run: while turns are taken too.
  void join(std::function<void()> task);
  // Ends the engine when the process exits, before the libraries that are loaded by now go: no task begins any more, and none is
  // freed with what it holds; what runs is aborted and waited for, five seconds at most.
  void end_with_process();
  bool ended() const;

  // From a task: takes the turn again and again, and tasks that join in between, until it returns false. It must not throw.
  void keep(std::function<bool()> turn);

 private:
  EngineThread();
  void end();
  struct State;
  State* state_;
};

}  // namespace zero_rl
