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

/// A snapshot of one generation, for people and for status pages: see Generation::status(). A value
/// type.
struct GenerationStatus {
    std::uint64_t generation = 0;  ///< its number; 0: it has not begun to serve
    pid_t pid = -1;
    std::string state;  ///< what it does, in words for people: "serving on probation"
    Role role = Role::starting;
    bool ready = false;    ///< whoever connects is served: also during a reload, not in a stop
    std::string version;   ///< GenerationOptions::version
    std::string build_id;  ///< see handover::build_id()
    /// A listener that it has.
    struct ListenerStatus {
        std::string name;      ///< of the WantedListener
        std::string endpoint;  ///< as Endpoint::to_string() has it
        bool inherited;        ///< it came with Inheritance; otherwise this generation bound it
        std::string source;    ///< "socket unit", "fd store", "predecessor" or "bound"
    };
    std::vector<ListenerStatus> listeners;
    std::size_t connections = 0;  ///< open now
    /// How many descriptors the service keeps in the service manager's fd store while it serves.
    std::size_t fd_store_entries = 0;
    ImportedConnections imported;  ///< connections of the generation before
    /// HandoverResult::to_string() of the last one here; empty: there was none.
    std::string last_handover;
};

/// What a Generation may be told. A value type; the defaults are those of handoverd.
struct GenerationOptions {
    std::string version;  ///< of the program, for people
    /// From the stop of accepting to the end of the last request; what is not done by then is cut.
    std::chrono::milliseconds drain_timeout{20'000};
    /// How many generations may drain at a time, 1 at least. When another one begins to, the oldest
    /// has `prompt_idle_grace` left.
    std::size_t draining_max = 4;
    /// From the start of a successor until it could accept. One that takes longer is killed, and
    /// the handover has failed.
    std::chrono::milliseconds ready_timeout{30'000};
    /// How long an idle connection that cannot move stays with a generation that drains because its
    /// successor accepts, so that a request that is on its way is answered.
    std::chrono::milliseconds patient_idle_grace{5'000};
    /// How long an idle connection that cannot move stays with a generation that stops or leaves
    /// for a restart, so that a request that is on its way is answered: somebody waits for the end.
    std::chrono::milliseconds prompt_idle_grace{1'000};
    /// How long a successor is watched after it took over, at least: it is longer as long as
    /// requests are in flight in its predecessor. Should it die or hang meanwhile, the predecessor
    /// takes the listeners back.
    std::chrono::milliseconds probation{5'000};
    /// The process that was started stays until the service ends, as PID 1 does in any case: when
    /// it has drained, run() waits for the generations after it (see Anchor). Has no effect, and is
    /// warned of, under a service manager, which follows the main process by itself.
    bool anchor = false;
    /// To wait in a process as small as can be, which replaces this one (execve(2)): arguments,
    /// argv[0] included, with which this executable does nothing but Anchor::resume() and wait().
    /// Empty: run() waits itself.
    std::vector<std::string> anchor_command;
    /// Told of every event that is worth a line in the log. Called on the thread of run(), which
    /// waits for it; must not throw.
    std::function<void(const Report&)> report = [](const Report&) {};
};

/// One run of the program, from adopting its listeners to the last answered request.
///
///     handover::Generation generation(handover::Inheritance::discover(), options);
///     generation.serve(service, {{"http", handover::Endpoint::parse("[::]:9999"), true}});
///     return generation.run().status;
///
/// SIGHUP and SIGUSR2 hand over to a new run of the same command, and connections go along. SIGTERM
/// and SIGINT stop. SIGUSR1 leaves for a restart by the service manager: listeners and connections
/// wait in its fd store (systemd.service(5), `FileDescriptorStoreMax=`). What the service manager
/// has to know it is told by sd_notify(3), if there is one.
///
/// It owns all listeners and every other descriptor that the Inheritance had. It blocks the five
/// signals in the thread that constructs it, which must be the first of the process and make all
/// others later, and receives them by signalfd(2); they stay blocked when it is destroyed. A
/// process has one at a time.
///
/// Construct, serve() and run() on that one thread; services and callbacks are called on it, inside
/// run(). The other functions are thread-safe, as long as the object lives.
class Generation {
  public:
    /// Takes all that the process inherited. Neither binds nor accepts yet. Throws Error (os).
    Generation(Inheritance inheritance, GenerationOptions options);
    /// After run() has returned or thrown, or without run() having been called: closes what is
    /// left.
    ~Generation();
    Generation(const Generation&) = delete;
    Generation& operator=(const Generation&) = delete;

    /// `service` is to accept on the listeners `wanted`. It is borrowed until run() has returned.
    /// Call before run(), once for each service, on the thread of the constructor.
    void serve(Service& service, std::vector<WantedListener> wanted);

    /// How run() ended.
    struct Exit {
        int status;  ///< for main() to return
        /// Connections that were closed at the drain deadline. If there are any, their handlers may
        /// still run in threads that cannot be joined: leave by _exit(2).
        std::size_t cut;
    };
    /// Adopts and binds the listeners, tells whoever waits for it that this generation is ready,
    /// serves, and returns when this generation has ended; as an anchor, when the service has.
    /// Throws Error if it cannot start: config if an inherited descriptor is not what its name
    /// says, os if the system refused, a bind(2) for example. A predecessor has been told why then,
    /// and serves on. Call once, on the thread of the constructor.
    [[nodiscard]] Exit run();

    /// Asks for a handover, as SIGUSR2 does, and returns at once. `done` is called on the thread of
    /// run() when a successor has taken over, or when it is clear that none will; if run() returns
    /// before that, it is not called any more, and destroyed with this object at the latest.
    /// Thread-safe.
    void request_handover(std::function<void(const HandoverResult&)> done);
    /// Returns at once. `done` is called on the thread of run() when this generation is not, or not
    /// any more, on probation. If run() returns before that, it is not called any more, and
    /// destroyed with this object at the latest. Thread-safe.
    void await_end_of_probation(std::function<void()> done);
    /// What this generation is and has at this moment. Thread-safe.
    [[nodiscard]] GenerationStatus status() const;
    /// The number of this generation, counted from 1 over all generations of the service; 0: it has
    /// not begun to serve. Thread-safe.
    [[nodiscard]] std::uint64_t number() const;

    /// What this generation, those before and those after it have written about themselves. What
    /// is not in memory any more is not in it: without an fd store it begins at the last start.
    /// Thread-safe.
    [[nodiscard]] History history() const;
    /// ServiceEvent::id of the last event in any generation; 0: there is none. Thread-safe.
    [[nodiscard]] std::uint64_t last_event_id() const;
    /// Waits until there is an event, in any generation, behind the one with the id `after`, and
    /// returns all of those, oldest first. Empty: none has come within `timeout`. The last 128
    /// events are remembered. An `after` that no event has yet is taken for one of a service that
    /// has lost its memory: then all events that there are come at once. Blocks the caller, so not
    /// for the thread of run(). Thread-safe.
    [[nodiscard]] std::vector<ServiceEvent> wait_for_events(
        std::uint64_t after, std::chrono::milliseconds timeout) const;

    /// The handovers of this service, as this generation, those before and those after it count
    /// them together. They go on through handovers, and with an fd store through restarts and
    /// crashes. The view is valid as long as this object lives. Thread-safe.
    [[nodiscard]] HandoverCounters handover_counters() const;
    /// Counters for whatever the program counts, the same in this generation, those before and
    /// those after it. They go on through handovers, and with an fd store through restarts and
    /// crashes; at first they are 0. The program has to see to it that its releases mean the same
    /// by each (see Counter). The view is valid as long as this object lives. Thread-safe.
    [[nodiscard]] std::span<Counter> program_counters() const;

  private:
    class Runner;
    std::unique_ptr<Runner> runner_;
};

}  // namespace handover
