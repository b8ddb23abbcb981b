// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace handover {

/// Why a generation does not have a connection any more. Each connection has exactly one reason.
/// The numbers are a format that releases share: a new one is added at the end.
enum class CloseReason : std::uint8_t {
    moved,             ///< not closed at all: the next generation has it
    closed_by_client,  ///< the client closed it, reset it or stopped reading
    last_response,     ///< after its last response: the client, the handler or a fault asked for it
    timed_out,         ///< it was idle, or in the middle of a request's head, for too long
    drained,           ///< closed politely, because its generation drained and could not move it
    cut_at_deadline,   ///< its generation's drain timeout was over
    no_room,           ///< the system, or a limit of the service, could not take it
};
/// Every CloseReason, in the order of their numbers.
inline constexpr std::array all_close_reasons{
    CloseReason::moved,     CloseReason::closed_by_client, CloseReason::last_response,
    CloseReason::timed_out, CloseReason::drained,          CloseReason::cut_at_deadline,
    CloseReason::no_room};
/// How many values CloseReason has.
inline constexpr std::size_t close_reason_count = all_close_reasons.size();

/// The name of the enumerator, for metrics and logs: "closed_by_client". Valid for ever.
/// Thread-safe.
[[nodiscard]] std::string_view to_string(CloseReason reason);

/// How many connections a generation, or a service, has had, and what became of them. All counts
/// only grow. A value type.
struct ConnectionCounts {
    /// Accepted, or adopted from another generation.
    std::uint64_t opened = 0;
    /// Of those, how many ended for each reason, in the order of all_close_reasons.
    std::array<std::uint64_t, close_reason_count> ended{};

    /// How many ended for this reason.
    [[nodiscard]] std::uint64_t operator[](CloseReason reason) const {
        return ended[static_cast<std::size_t>(reason)];
    }
    /// How many ended for this reason, to be changed.
    [[nodiscard]] std::uint64_t& operator[](CloseReason reason) {
        return ended[static_cast<std::size_t>(reason)];
    }
    /// How many ended, for all reasons together.
    [[nodiscard]] std::uint64_t ended_total() const;
    /// How many are open now: opened and not ended.
    [[nodiscard]] std::uint64_t open() const { return opened - ended_total(); }

    /// Adds what others count.
    ConnectionCounts& operator+=(const ConnectionCounts& other);
    /// What has happened since the same counts were `before`, to the connections that were open
    /// then and to those that came later. `opened` counts both, so that open() says how many of
    /// them are left.
    [[nodiscard]] ConnectionCounts since(const ConnectionCounts& before) const;

    /// For people, reasons that nobody had left out: "held 66 = 64 moved + 1 closed by client + 1
    /// cut at deadline", and "+ 2 still there" for those that are open. The 66 are `opened`.
    [[nodiscard]] std::string to_sentence() const;

    /// Are all counts equal?
    bool operator==(const ConnectionCounts&) const = default;
};

/// The connections that a generation has got from the one before it. A value type.
struct ImportedConnections {
    std::uint64_t from = 0;        ///< number of the generation before
    std::string how;               ///< "reload", "restart"; empty: none were to come
    std::uint64_t adopted = 0;     ///< went on here
    std::uint64_t unclaimed = 0;   ///< closed politely: no service wants their listener any more
    std::uint64_t unreadable = 0;  ///< messages of a form that is not known here; what was in them
                                   ///< is closed
    /// What became of every connection that the generation before had when it stopped accepting.
    /// nullopt: it still drains, or has ended without a word.
    std::optional<ConnectionCounts> ended;
};

}  // namespace handover
