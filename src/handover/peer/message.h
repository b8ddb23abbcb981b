// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handover {

/// The wire protocol between two generations, over a SOCK_SEQPACKET pair (unix(7)).
///
/// Every message is one packet: a header of 16 bytes, then `length` bytes of fields.
///
///     header   magic u32 "HOV1" | protocol version u16 | type u16 | length u32 | reserved u32
///     field    tag u16 | length u16 | bytes                                 (any number of them)
///
/// All numbers are little-endian. How it may grow: a reader skips fields whose tag it does not
/// know, so a new field needs no new version. A new type or a changed meaning needs one, and the
/// version in the header is the oldest that knows the message: so everybody understands the first
/// message of either side, always a `hello`, which tells the newest version that its sender speaks.
/// Nobody sends what the other does not know.
///
/// Version 1   predecessor -> successor: hello, go.   back: hello, then ready or failed.
/// Version 2   predecessor -> successor, after go: any number of `connections`, then `end`.
///             In a channel that waits in the fd store: hello with `stored`, connections, end.
/// Version 3   predecessor -> successor: promoted, once, after go: the successor was on probation
///             so far; health_check, before that. back: promote_me, stopping, restarting and
///             healthy, between go and promoted; keep, after it.
struct Message {
    enum class Type : std::uint16_t {
        hello = 1,
        ready = 2,
        failed = 3,
        go = 4,
        connections = 5,    ///< with descriptors: see connection_batch.h
        end = 6,            ///< no more connections come; with a field `counts` for each count
        promoted = 7,       ///< you are the main process; we would not take the listeners back
        promote_me = 8,     ///< I am to hand over myself: end my probation
        stopping = 9,       ///< I was asked to stop, and that means the service
        drain_quota = 10,   ///< so many of you that drain, the youngest first, may go on: `count`
        health_check = 11,  ///< before I make you the main process
        healthy = 12,       ///< my event loop turns, and somebody could be served
        restarting = 13,    ///< I was asked to leave for a restart, and that means the service
    };
    enum class Tag : std::uint16_t {
        protocol = 1,    ///< hello: newest protocol version spoken, decimal
        generation = 2,  ///< hello: number of the sender's generation, decimal
        version = 3,     ///< hello: of the program, for people
        build_id = 4,    ///< hello: GNU build id of the executable, hexadecimal; may be empty
        reason = 5,      ///< failed: one line for people
        stored = 6,      ///< hello: nobody waits at the other end, this comes out of the fd store
        listener = 7,    ///< connections: begins the next connection; the name of its listener
        unread = 8,      ///< connections: bytes received and not answered; several are joined
        connection_counts = 9,  ///< end: "moved=9120", "held=9123"; names as in counts.h
        count = 10,             ///< keep: decimal
    };

    Type type = Type::hello;
    std::vector<std::pair<Tag, std::string>> fields;
    /// Descriptors that came with it; owned from the moment they arrived.
    std::vector<UniqueFd> fds;

    [[nodiscard]] static Message of(Type type) { return {type, {}, {}}; }
    [[nodiscard]] static Message failed(const std::string& reason) {
        return {Type::failed, {{Tag::reason, reason}}, {}};
    }

    /// The first field with the tag, or empty; as a number, 0 if it is none.
    [[nodiscard]] std::string_view field(Tag tag) const;
    [[nodiscard]] std::uint64_t number(Tag tag) const;
};

constexpr std::uint16_t protocol_version = 3;
/// The oldest one that knows of probation, and of `keep`.
constexpr std::uint16_t probation_version = 3;

/// The bytes of a message, without descriptors. A field longer than 65535 bytes is cut.
[[nodiscard]] std::string encode(const Message& message);
/// nullopt for anything that is not exactly one well-formed message of a version up to
/// protocol_version. Unknown tags are kept, unknown types are refused. Pure: this is what is
/// fuzzed.
[[nodiscard]] std::optional<Message> decode(std::string_view bytes);

}  // namespace handover
