// SPDX-License-Identifier: MIT
#pragma once

#include "support/processes.h"
#include "support/raw_client.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <poll.h>

#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace handover::test {

/// Of what GET /events sends.
struct Event {
    std::string name;
    std::string id;
    std::string text;

    [[nodiscard]] nlohmann::json data() const { return nlohmann::json::parse(text); }
};

/// As the specification of event streams has it, as far as we use it.
inline std::vector<Event> events_in(const std::string& stream) {
    std::vector<Event> events;
    std::istringstream in(stream);
    Event event;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("event: ")) event.name = line.substr(7);
        if (line.starts_with("id: ")) event.id = line.substr(4);
        if (line.starts_with("data: ")) event.text += line.substr(6);
        if (!line.empty() || event.name.empty()) continue;
        events.push_back(std::move(event));
        event = {};
    }
    return events;
}

inline std::vector<Event> only(const std::string& name, std::vector<Event> events) {
    std::erase_if(events, [&](const Event& one) { return one.name != name; });
    return events;
}

/// Returns when the stream has begun.
inline void ask_for_events(RawClient& client, const std::optional<std::string>& last_id = {}) {
    client.send("GET /events HTTP/1.1\r\nHost: localhost\r\n" +
                (last_id ? "Last-Event-ID: " + *last_id + "\r\n" : std::string()) + "\r\n");
    pollfd begun{client.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&begun, 1, static_cast<int>(timeout.count())), 1);
}

}  // namespace handover::test
