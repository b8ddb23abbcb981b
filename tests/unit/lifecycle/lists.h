// SPDX-License-Identifier: MIT
#pragma once

#include "handover/generation/lifecycle.h"

#include <ostream>
#include <vector>

// Everything that the lifecycle knows, for tests that try it all.
namespace handover::lifecycle {

inline const std::vector<State> states = {State::starting,
                                          State::waiting_for_go,
                                          State::on_probation,
                                          State::awaiting_promotion,
                                          State::serving,
                                          State::handing_over,
                                          State::promoting_before_go,
                                          State::watching,
                                          State::watching_drained,
                                          State::watching_longer,
                                          State::promoting,
                                          State::promoting_drained,
                                          State::draining,
                                          State::restarting,
                                          State::stopping,
                                          State::ended};
inline const std::vector<Event> events = {Event::started,
                                          Event::started_by_predecessor,
                                          Event::go,
                                          Event::promoted,
                                          Event::predecessor_lost,
                                          Event::handover_requested,
                                          Event::successor_ready,
                                          Event::old_successor_ready,
                                          Event::successor_failed,
                                          Event::promotion_wanted,
                                          Event::probation_passed,
                                          Event::main_pid_handed,
                                          Event::stop_requested,
                                          Event::interrupted,
                                          Event::restart_requested,
                                          Event::drained,
                                          Event::deadline_passed};

// How GoogleTest shows them.
inline void PrintTo(State state, std::ostream* out) {
    *out << to_string(state);
}
inline void PrintTo(Action action, std::ostream* out) {
    *out << to_string(action);
}

}  // namespace handover::lifecycle
