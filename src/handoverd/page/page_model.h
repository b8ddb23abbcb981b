// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace handoverd {

/// What the page shows of /status. A field that is missing, or of another type, is empty: the one
/// who answers may be an older release, or a newer one.
struct PageModel {
    using Count = std::uint64_t;
    using Time = std::optional<std::int64_t>;  ///< Unix time in ms

    struct Generation {
        Count number = 0;
        Count pid = 0;
        std::string version;
        std::string role;
        std::string by;
        std::optional<Count> from;
        Time started, ready, ended, drain_ends;
        Count connections = 0;
        Count moved = 0;
        /// The others that are not zero, as people read them: {"closed by client", 12}.
        std::vector<std::pair<std::string, Count>> closed;
        std::string account;

        [[nodiscard]] bool is_serving() const { return role == "serving" || role == "probation"; }
        [[nodiscard]] bool has_ended() const { return role == "ended" || role == "crashed"; }
    };
    struct Handover {
        Count id = 0;
        Time at, duration;
        std::string kind, result, reason;
        std::optional<Count> from, to;
    };
    struct Listener {
        std::string name, endpoint, source;
    };

    explicit PageModel(const nlohmann::json& status);

    /// The newest one that serves; nullptr in a stop or a restart.
    [[nodiscard]] const Generation* serving() const;

    std::int64_t now = 0;
    Count number = 0;  ///< of the generation that answers
    std::string state, version, build_id;
    std::optional<Count> requests;  ///< of all generations
    Count handovers_ok = 0, handovers_failed = 0, handovers_rolled_back = 0;
    std::vector<Generation> generations;  ///< newest first
    std::vector<Handover> history;        ///< newest first
    std::vector<Listener> listeners;
};

}  // namespace handoverd
