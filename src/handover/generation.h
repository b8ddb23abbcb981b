// SPDX-License-Identifier: MIT
#pragma once

#include "handover/connection_counts.h"
#include "handover/counters.h"
#include "handover/handover_result.h"
#include "handover/history.h"
#include "handover/inheritance.h"
#include "handover/listener.h"
#include "handover/report.h"
#include "handover/service.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace handover {

/// A snapshot for people and for status pages.
struct GenerationStatus {
    std::uint64_t generation = 0;
    pid_t pid = -1;
    std::string state;  ///< a lifecycle::State in words
    Role role = Role::starting;
    bool ready = false;  ///< whoever connects is served: also during a reload, not in a stop
    std::string version;
    std::string build_id;
    struct ListenerStatus {
        std::string name;
        std::string endpoint;
        bool inherited;
        std::string source;  ///< "socket unit", "fd store", "predecessor" or "bound" by itself
    };
    std::vector<ListenerStatus> listeners;
    std::size_t connections = 0;       ///< open now
    std::size_t fd_store_entries = 0;  ///< what the service keeps in the fd store while it serves
    ImportedConnections arrivals;      ///< of connections from the generation before
    std::string last_handover;         ///< HandoverResult::to_string(), empty if there was none
};

struct GenerationOptions {
    std::string version;  ///< of the program, for people
    /// From the stop of accepting to the end of the last request.
    std::chrono::milliseconds drain_timeout{20'000};
    /// How many generations may drain at a time, 1 at least. Another reload ends the oldest, after
    /// `prompt_idle_grace`.
    std::size_t draining_max = 4;
    /// From the start of a successor to its `ready`.
    std::chrono::milliseconds ready_timeout{30'000};
    /// How long an idle connection that cannot move may stay with a draining generation, so that a
    /// request already on its way is answered: when a successor serves, and when somebody waits for
    /// our end.
    std::chrono::milliseconds patient_idle_grace{5'000};
    std::chrono::milliseconds prompt_idle_grace{1'000};
    /// How long a successor is watched after it took over, at least: as long as something is in
    /// flight here, it is longer. Should it die meanwhile, we take the listeners back.
    std::chrono::milliseconds probation{5'000};
    /// The process that was started stays until the service ends, as PID 1 does in any case: when
    /// it has drained, run() waits for the generations after it (see Anchor). Not under a service
    /// manager, which follows the main process by itself.
    bool anchor = false;
    /// To do that in a process as small as can be: arguments, argv[0] included, with which this
    /// executable does nothing but Anchor::resume() and wait(). Empty: wait inside run().
    std::vector<std::string> anchor_command;
    /// Every event worth a line in the log. Called on the thread of run().
    std::function<void(const Report&)> report = [](const Report&) {};
};

/// One run of the program, from adopting its listeners to the last answered request.
///
///     handover::Generation generation(handover::Inheritance::discover(), options);
///     generation.serve(service, {{"http", handover::Endpoint::parse("[::]:9999"), true}});
///     return generation.run();
///
/// SIGHUP and SIGUSR2 hand over to a new run of the same command, and connections go along. SIGTERM
/// and SIGINT stop. SIGUSR1 leaves for a restart by the service manager: listeners and connections
/// wait in its fd store. It receives them with signalfd(2) and blocks them
/// in the thread that constructs it, which must be the first thread and make all others later.
/// Everything happens on that thread, inside run(), but for the functions marked thread-safe.
class Generation {
  public:
    /// Takes what the process inherited. Throws Error (os).
    Generation(Inheritance inheritance, GenerationOptions options);
    ~Generation();
    Generation(const Generation&) = delete;
    Generation& operator=(const Generation&) = delete;

    /// `service` is to accept on `wanted`. Borrows the service until run() has returned. Call once
    /// for each service, before run().
    void serve(Service& service, std::vector<WantedListener> wanted);

    struct Exit {
        int status;       ///< for main()
        std::size_t cut;  ///< connections closed at the deadline; if not 0, their handlers may
                          ///< still run in threads that cannot be joined: leave by _exit(2)
    };
    /// Adopts and binds, says ready, serves, and returns when this generation has ended; as an
    /// anchor, when the service has. Throws Error if it cannot start; a predecessor has been told
    /// then and goes on serving.
    [[nodiscard]] Exit run();

    /// Asks for a handover, as SIGUSR2 does; `done` is called on the thread of run(), exactly once
    /// as long as run() has not returned. Thread-safe.
    void request_handover(std::function<void(const HandoverResult&)> done);
    /// `done` is called on the thread of run() when this generation is not, or not any more, on
    /// probation. If it ends before, `done` is destroyed without a call. Thread-safe.
    void await_end_of_probation(std::function<void()> done);
    /// Thread-safe.
    [[nodiscard]] GenerationStatus status() const;
    /// 0 until this generation has begun to serve. Thread-safe.
    [[nodiscard]] std::uint64_t number() const;

    /// What this generation, those before and those after it have written about themselves.
    /// Thread-safe.
    [[nodiscard]] History history() const;
    /// The id of the last event; 0: there is none. Thread-safe.
    [[nodiscard]] std::uint64_t last_event_id() const;
    /// Those behind the one with this id, in all generations, oldest first, as soon as there is
    /// one; empty if none has come in that time. The last 128 are remembered. An id that has not
    /// been given yet is one of a service that has lost its memory since: all there are.
    /// Thread-safe.
    [[nodiscard]] std::vector<ServiceEvent> wait_for_events(
        std::uint64_t after, std::chrono::milliseconds timeout) const;

    /// What this generation, those before and those after it count together, as long as this object
    /// lives. They go on through handovers, and with an fd store through restarts and crashes.
    /// Thread-safe.
    [[nodiscard]] HandoverCounters handover_counters() const;
    /// The same for whatever the program counts. It is the program's to see to it that its releases
    /// mean the same by each (see Counter).
    [[nodiscard]] std::span<Counter> program_counters() const;

  private:
    class Runner;
    std::unique_ptr<Runner> runner_;
};

}  // namespace handover
