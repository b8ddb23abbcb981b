// SPDX-License-Identifier: MIT
#pragma once

#include "handover/generation/lifecycle.h"

#include <array>
#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

// Everything that the lifecycle knows, for tests that try it all.
namespace handover::lifecycle {

template <typename Enum, std::size_t count>
constexpr std::array<Enum, count> first_of() {
    std::array<Enum, count> all{};
    for (std::size_t i = 0; i < count; ++i) all[i] = static_cast<Enum>(i);
    return all;
}

inline constexpr auto all_states = first_of<State, state_count>();
inline constexpr auto all_events = first_of<Event, event_count>();
inline constexpr auto all_actions = first_of<Action, action_count>();

/// What step() does, to compare.
inline std::vector<Action> actions_of(State state, Event event) {
    const auto actions = step(state, event).actions;
    return {actions.begin(), actions.end()};
}

/// Where a failure is.
inline std::string where(State state, Event event) {
    return std::string(to_string(event)) + ", when " + std::string(to_string(state));
}

// How GoogleTest shows them.
inline void PrintTo(State state, std::ostream* out) {
    *out << to_string(state);
}
inline void PrintTo(Event event, std::ostream* out) {
    *out << to_string(event);
}
inline void PrintTo(Action action, std::ostream* out) {
    *out << to_string(action);
}

}  // namespace handover::lifecycle
