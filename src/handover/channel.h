// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
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
/// know, so a new field needs no new version. A new type or a changed meaning needs one; the first
/// message of either side is always `hello` in the format of version 1 and tells the newest version
/// that the sender speaks, and from then on both speak the older of the two.
///
/// predecessor -> successor: hello, then go.   successor -> predecessor: hello, then ready or
/// failed.
struct Message {
    enum class Type : std::uint16_t { hello = 1, ready = 2, failed = 3, go = 4 };
    enum class Tag : std::uint16_t {
        protocol = 1,    ///< hello: newest protocol version spoken, decimal
        generation = 2,  ///< hello: number of the sender's generation, decimal
        version = 3,     ///< hello: of the program, for people
        build_id = 4,    ///< hello: GNU build id of the executable, hexadecimal; may be empty
        reason = 5,      ///< failed: one line for people
    };

    Type type = Type::hello;
    std::vector<std::pair<Tag, std::string>> fields;
    /// Descriptors that came with it; owned from the moment they arrived.
    std::vector<UniqueFd> fds;

    /// The first field with the tag, or empty.
    [[nodiscard]] std::string_view field(Tag tag) const;
};

constexpr std::uint16_t protocol_version = 1;

/// The bytes of a message, without descriptors. A field longer than 65535 bytes is cut.
[[nodiscard]] std::string encode(const Message& message);
/// nullopt for anything that is not exactly one well-formed message of a version up to
/// protocol_version. Unknown tags are kept, unknown types are refused. Pure: this is what is
/// fuzzed.
[[nodiscard]] std::optional<Message> decode(std::string_view bytes);

/// One end of the pair. Owns its descriptor. Not thread-safe.
class Channel {
  public:
    /// The name under which a successor inherits its end.
    static constexpr const char* fd_name = "channel";

    enum class Received {
        message,  ///< `message` has been filled
        nothing,  ///< nothing there now; wait for EPOLLIN
        closed,   ///< the other end is gone
        refused,  ///< a packet that is no message for us; its descriptors have been closed
    };

    explicit Channel(UniqueFd end) : fd_(std::move(end)) {}
    /// Both ends, O_CLOEXEC and O_NONBLOCK. Throws Error (os).
    [[nodiscard]] static std::pair<Channel, Channel> make_pair();

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    /// False if the other end is gone or its buffer is full; nothing has been sent then.
    [[nodiscard]] bool send(const Message& message) const;
    [[nodiscard]] Received receive(Message& message) const;

  private:
    UniqueFd fd_;
};

}  // namespace handover
