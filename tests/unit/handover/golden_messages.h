// SPDX-License-Identifier: MIT
#pragma once

#include "handover/peer/message.h"

#include <string>
#include <utility>
#include <vector>

namespace handover::test {

using namespace std::string_literals;

inline Message message_of(Message::Type type,
                          std::vector<std::pair<Message::Tag, std::string>> fields = {}) {
    Message message;
    message.type = type;
    message.fields = std::move(fields);
    return message;
}

// The bytes of messages as some version has written them, which every later one has to read.

// "HOV1", version, type, length, reserved; then tag, length and bytes of each field
inline const std::string golden_hello =
    "HOV1\x01\x00\x01\x00\x22\x00\x00\x00\x00\x00\x00\x00"
    "\x01\x00\x01\x00"
    "1"
    "\x02\x00\x01\x00"
    "4"
    "\x03\x00\x05\x00"
    "0.1.0"
    "\x04\x00\x0b\x00"
    "deadbeef012"s;
inline const std::string golden_ready = "HOV1\x01\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;
inline const std::string golden_failed =
    "HOV1\x01\x00\x03\x00\x0b\x00\x00\x00\x00\x00\x00\x00"
    "\x05\x00\x07\x00"
    "no disk"s;
inline const std::string golden_go = "HOV1\x01\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;
/// The first message of a channel that waits in the fd store.
inline const std::string golden_stored =
    "HOV1\x01\x00\x01\x00\x0f\x00\x00\x00\x00\x00\x00\x00"
    "\x01\x00\x01\x00"
    "2"
    "\x02\x00\x01\x00"
    "4"
    "\x06\x00\x01\x00"
    "1"s;
inline const std::string golden_promoted = "HOV1\x03\x00\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;
inline const std::string golden_promote_me =
    "HOV1\x03\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;
inline const std::string golden_stopping = "HOV1\x03\x00\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;
inline const std::string golden_drain_quota =
    "HOV1\x03\x00\x0a\x00\x05\x00\x00\x00\x00\x00\x00\x00"
    "\x0a\x00\x01\x00"
    "3"s;
inline const std::string golden_health_check =
    "HOV1\x03\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;
inline const std::string golden_healthy = "HOV1\x03\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;
inline const std::string golden_restarting =
    "HOV1\x03\x00\x0d\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;

// What nobody has written, and nobody must read.

struct Malformed {
    const char* what;
    std::string bytes;
};

inline const Malformed malformed[] = {
    {"nothing", ""},
    {"trailing byte", golden_ready + "x"},
    {"two messages", golden_ready + golden_go},
    {"wrong magic", "HOV2" + golden_ready.substr(4)},
    {"magic of the other byte order", "1VOH" + golden_ready.substr(4)},
    {"newer version", "HOV1\x04\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00"s},
    {"newest version", "HOV1\xff\xff\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00"s},
    {"version 0", "HOV1\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00"s},
    {"type 0", "HOV1\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"s},
    {"unknown type", "HOV1\x01\x00\x0e\x00\x00\x00\x00\x00\x00\x00\x00\x00"s},
    {"largest type", "HOV1\x01\x00\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"s},
    {"length too long", "HOV1\x01\x00\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00"s},
    {"length of 4 GiB", "HOV1\x01\x00\x02\x00\xff\xff\xff\xff\x00\x00\x00\x00"s},
    {"half a field header", "HOV1\x01\x00\x02\x00\x03\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00"s},
    {"field longer than the message",
     "HOV1\x01\x00\x03\x00\x05\x00\x00\x00\x00\x00\x00\x00\x05\x00\x02\x00x"s},
    {"field of 65535 bytes that are not there",
     "HOV1\x01\x00\x03\x00\x04\x00\x00\x00\x00\x00\x00\x00\x05\x00\xff\xff"s},
};

}  // namespace handover::test
