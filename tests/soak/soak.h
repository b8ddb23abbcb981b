// SPDX-License-Identifier: MIT
#pragma once

#include "soak/server_account.h"
#include "soak/walk.h"
#include "system/service_under_load.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace handover::test {

/// What an action may cost.
struct Cost {
    /// Generations killed in the middle of their work: what was inside is lost.
    int deaths = 0;
    /// The service has been stopped: no request is lost, but no connection is kept.
    bool stop = false;

    [[nodiscard]] bool closes() const { return deaths != 0 || stop; }
};

/// The service under load, what is done to it, and the books that are kept about that.
///
/// Nothing but the inside of a process that was killed may ever be lost. That is checked after
/// every action, for that action alone, so that the one which lost something is known.
class Soak : public ServiceUnderLoad {
  protected:
    using Clock = std::chrono::steady_clock;

    /// One thing to do to the service; returns when it is over.
    struct Action {
        const char* name;
        unsigned weight;
        Cost (Soak::*perform)(const Step&);
        bool needs_socket_unit = false;  ///< without, clients are refused
    };
    [[nodiscard]] static std::span<const Action> actions();

    /// Boots, notes what the service is made of at rest, and starts the clients.
    void begin(const Setting& setting, std::chrono::seconds duration);
    /// Performs the action, and checks that it cost no more than it may.
    void perform(const Action& action, const Step& step);
    /// Ends the clients, prints the counters, and checks that all is as it was at the beginning.
    void finish();

  private:
    /// What the service holds when nobody is connected.
    struct Belongings {
        std::size_t processes = 0;
        int stored_fds = 0;
        std::size_t descriptors = 0;  ///< of the main process
        bool operator==(const Belongings&) const = default;
    };
    friend std::ostream& operator<<(std::ostream& out, const Belongings& belongings);

    struct Client {
        Load load;
        LoadReport before;  ///< the action that is going on
    };
    /// Connections that stand idle, with all that have been before them.
    struct Idle {
        std::optional<IdleConnections> connections;
        std::int64_t opened = 0;
        std::int64_t answered = 0;  ///< requests
        std::int64_t closed = 0;    ///< by the server
    };

    // The actions; in soak_actions.cpp.
    Cost reload_once(const Step& step);
    Cost reload_and_wait(const Step& step);
    Cost reload_ten_times_in_a_row(const Step& step);
    Cost reload_ten_times_at_once(const Step& step);
    Cost signal_for_a_handover(const Step& step);
    Cost restart(const Step& step);
    Cost restart_during_a_reload(const Step& step);
    Cost stop_and_start(const Step& step);
    Cost reload_with_a_broken_binary(const Step& step);
    Cost kill_main_process(const Step& step);
    Cost kill_main_process_during_a_reload(const Step& step);
    Cost kill_main_process_on_probation(const Step& step);
    Cost kill_successor_on_probation(const Step& step);
    Cost pause_successor(const Step& step);
    Cost hang_successor(const Step& step);
    Cost reconfigure_manager(const Step& step);

    /// Waits until the generation that serves is the main process: its probation is over.
    [[nodiscard]] Answer await_main();
    /// Waits until a successor that took over has failed and that process serves again.
    void await_rollback_to(pid_t predecessor);
    /// Waits until systemd has started the service anew.
    void await_restart_after(pid_t victim);

    void start_clients(std::chrono::seconds duration);
    void start_idle_connections();
    void check_client(Client& client, const Cost& cost);
    void check_idle_connections(const Cost& cost);
    void read_journal();
    [[nodiscard]] Belongings belongings();
    void print_counters(const std::map<std::string, LoadReport>& reports) const;

    std::vector<Client> clients_;
    Idle idle_;
    ServerAccount account_;
    std::map<std::string, int> performed_;
    int deaths_ = 0;
    int stops_ = 0;
    Belongings at_first_;
    Clock::time_point began_;
};

}  // namespace handover::test
