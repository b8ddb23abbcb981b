// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace handover {

/// Why a connection left a generation. Each has exactly one.
enum class Ending : std::uint8_t {
    moved,             ///< the next generation has it
    closed_by_client,  ///< the client closed it, reset it or stopped reading
    last_response,  ///< its last response said so: the client, the handler or a fault asked for it
    timed_out,      ///< idle, or in the middle of a head, for too long
    drained,        ///< closed politely, because it could not be moved
    cut_at_deadline,  ///< the drain timeout had passed
    no_room,          ///< the system, or a limit of ours, could not take it
};
inline constexpr std::array all_endings{
    Ending::moved,   Ending::closed_by_client, Ending::last_response, Ending::timed_out,
    Ending::drained, Ending::cut_at_deadline,  Ending::no_room};
inline constexpr std::size_t ending_count = all_endings.size();

/// For people and for the wire: "moved", "closed_by_client".
[[nodiscard]] std::string_view to_string(Ending ending);

/// How many connections there were, and what became of them. All counts only grow.
struct Tally {
    std::uint64_t opened = 0;  ///< accepted, or adopted from another generation
    std::array<std::uint64_t, ending_count> ended{};

    [[nodiscard]] std::uint64_t operator[](Ending ending) const {
        return ended[static_cast<std::size_t>(ending)];
    }
    [[nodiscard]] std::uint64_t& operator[](Ending ending) {
        return ended[static_cast<std::size_t>(ending)];
    }
    [[nodiscard]] std::uint64_t ended_in_all() const;
    /// Those that are there now.
    [[nodiscard]] std::uint64_t held() const { return opened - ended_in_all(); }

    Tally& operator+=(const Tally& other);
    /// What has happened since `before`, to the connections that were held then and those that came
    /// later: `opened` counts both, so that it is again held() + ended_in_all().
    [[nodiscard]] Tally since(const Tally& before) const;

    /// "held 66 = 64 moved + 1 closed by client + 1 cut at deadline".
    [[nodiscard]] std::string to_sentence() const;

    bool operator==(const Tally&) const = default;
};

}  // namespace handover
