// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace handover {

/// Why a connection left a generation. Each has exactly one.
enum class CloseReason : std::uint8_t {
    moved,             ///< the next generation has it
    closed_by_client,  ///< the client closed it, reset it or stopped reading
    last_response,  ///< its last response said so: the client, the handler or a fault asked for it
    timed_out,      ///< idle, or in the middle of a head, for too long
    drained,        ///< closed politely, because it could not be moved
    cut_at_deadline,  ///< the drain timeout had passed
    no_room,          ///< the system, or a limit of ours, could not take it
};
inline constexpr std::array all_close_reasons{
    CloseReason::moved,     CloseReason::closed_by_client, CloseReason::last_response,
    CloseReason::timed_out, CloseReason::drained,          CloseReason::cut_at_deadline,
    CloseReason::no_room};
inline constexpr std::size_t close_reason_count = all_close_reasons.size();

/// For people and for the wire: "moved", "closed_by_client".
[[nodiscard]] std::string_view to_string(CloseReason ending);

/// How many connections there were, and what became of them. All counts only grow.
struct ConnectionCounts {
    std::uint64_t opened = 0;  ///< accepted, or adopted from another generation
    std::array<std::uint64_t, close_reason_count> ended{};

    [[nodiscard]] std::uint64_t operator[](CloseReason ending) const {
        return ended[static_cast<std::size_t>(ending)];
    }
    [[nodiscard]] std::uint64_t& operator[](CloseReason ending) {
        return ended[static_cast<std::size_t>(ending)];
    }
    [[nodiscard]] std::uint64_t ended_in_all() const;
    /// Those that are there now.
    [[nodiscard]] std::uint64_t open() const { return opened - ended_in_all(); }

    ConnectionCounts& operator+=(const ConnectionCounts& other);
    /// What has happened since `before`, to the connections that were held then and those that came
    /// later: `opened` counts both, so that it is again open() + ended_in_all().
    [[nodiscard]] ConnectionCounts since(const ConnectionCounts& before) const;

    /// "held 66 = 64 moved + 1 closed by client + 1 cut at deadline".
    [[nodiscard]] std::string to_sentence() const;

    bool operator==(const ConnectionCounts&) const = default;
};

/// What a generation got from those before it.
struct ImportedConnections {
    std::uint64_t from = 0;     ///< number of the generation they come from
    std::string how;            ///< "reload", "restart"; empty: nothing has come
    std::uint64_t adopted = 0;  ///< went on here
    /// Closed politely: their listener is not configured any more.
    std::uint64_t unclaimed = 0;
    std::uint64_t unreadable = 0;  ///< messages that this version cannot read; all in them closed
    std::optional<ConnectionCounts>
        ended;  ///< what became of all that it held, once it has said so
};

}  // namespace handover
