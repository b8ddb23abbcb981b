// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

/// The life of one generation as a pure function: no system call, no clock, no memory.
///
/// A generation is in one State. Whatever happens to it, a signal, a message, the end of a timer,
/// is an Event. step() looks up what that means in the table of lifecycle.cpp: the next state and
/// the Actions that lead there. Generation::Runner makes events of what happens, and carries the
/// actions out in their order.
///
///     starting --------------------------------------------------> serving <--------+
///        |                                                           ^   |          |
///        +--> waiting_for_go -- go --> on_probation -- promoted -----+   |          |
///             (ready; the             (accepts; the                handover         |
///             predecessor             predecessor is            requested           |
///             accepts)                still main)                  |                |
///                                                                  v             successor
///     draining <-- main PID handed -- promoting <-- drained,    handing_over      failed
///     (silent)                                      probation      |                |
///                                                   is over        +-- ready --> watching
///
///     not accepting yet -------------- stop or restart ------------> ended
///     accepting, or watching --------- stop -----------------------> stopping
///     accepting, watching, draining -- restart --------------------> restarting
///     draining, stopping, restarting - drained, or deadline passed > ended
///
/// `watching` and `promoting` are several states, for there are two things to wait for: the time of
/// the probation, and the last request in flight. The predecessor is the main process as long as it
/// watches: the service manager's supervision never rests on a release that nobody knows yet. A
/// successor that fails before it is the main process takes its predecessor back to `serving`, a
/// predecessor that is lost takes its successor there. `awaiting_promotion` is a probation that a
/// requested handover cuts short; `promoting_before_go` serves releases that know no probation.
///
/// To add a state, an event or an action: give it a place in its enum, before the last one, of
/// which the counts are made. The compiler asks for what else it needs: its name in
/// lifecycle_names.cpp, its rows in lifecycle.cpp, the case of an action in
/// Generation::Runner::perform(), the role of a state in role_of(). What it means is said in
/// tests/unit/lifecycle: an action in facts.cpp, a state or an event in promises.cpp.
namespace handover::lifecycle {

enum class State {
    starting,             ///< adopts and binds listeners; accepts nobody yet
    waiting_for_go,       ///< is ready to accept; the predecessor still does
    on_probation,         ///< accepts; the predecessor is the main process and watches us
    awaiting_promotion,   ///< on probation, and asked for a handover: wants to be main first
    serving,              ///< accepts; is the main process
    handing_over,         ///< accepts; a successor has been started and is not ready yet
    promoting_before_go,  ///< accepts; makes a successor main that knows nothing of probation
    watching,             ///< a successor accepts, on probation; finishes what is in flight
    watching_drained,     ///< a successor accepts, on probation; nothing is left in flight
    watching_longer,      ///< the probation is over; something is left in flight
    promoting,            ///< the successor becomes the main process; something is left in flight
    promoting_drained,    ///< the successor becomes the main process, and then we end
    draining,             ///< the successor is the main process; finishes what is in flight
    restarting,           ///< the service restarts: the listeners wait in the fd store
    stopping,             ///< the service stops; finishes what is in flight
    ended,                ///< nothing left to do
};
inline constexpr std::size_t state_count = static_cast<std::size_t>(State::ended) + 1;

enum class Event {
    started,                 ///< all listeners are adopted or bound; there is no predecessor
    started_by_predecessor,  ///< all listeners are adopted or bound; a predecessor waits for that
    go,                      ///< the predecessor says: you accept now
    promoted,                ///< the predecessor says: you are the main process
    predecessor_lost,        ///< the predecessor is gone, and has not said `promoted`
    handover_requested,      ///< SIGHUP, SIGUSR2 or the admin listener asks for a successor
    successor_ready,         ///< the successor waits for `go`
    old_successor_ready,     ///< a successor that knows nothing of probation waits for `go`
    successor_failed,  ///< it did not start, ended, refused or took too long; the reason is at hand
    promotion_wanted,  ///< the successor, on probation, is to hand over itself
    probation_passed,  ///< the time of the successor's probation is over
    main_pid_handed,   ///< the service manager and the successor know who is the main process now,
                       ///< or there is no manager, or it takes too long
    stop_requested,    ///< SIGTERM, also if the successor got it
    interrupted,       ///< SIGINT: the first one stops, the second one at once
    restart_requested,  ///< SIGUSR1: end, and leave everything to a generation that comes later
    drained,            ///< no connection is left
    deadline_passed,    ///< the drain timeout is over
};
inline constexpr std::size_t event_count = static_cast<std::size_t>(Event::deadline_passed) + 1;

enum class Action {
    take_over,                    ///< count the generation up
    store_listeners,              ///< FDSTORE=1 for what this generation bound
    start_accepting,              ///< serve whoever connects
    adopt_stored_connections,     ///< what the generation before a restart put into the fd store
    announce_ready,               ///< READY=1: we are the main process from here on
    report_serving,               ///< tell the log that we accept
    say_ready,                    ///< tell the predecessor that we wait for `go`
    ask_for_promotion,            ///< tell the predecessor that we are to hand over ourselves
    pass_stop_to_predecessor,     ///< or it would take the listeners back when we end
    pass_restart_to_predecessor,  ///< or it would take the listeners back when we end
    announce_reloading,           ///< RELOADING=1
    start_successor,              ///< a process of the same command, with a channel to it
    end_successor,                ///< kill it
    report_failed_handover,       ///< READY=1 with the reason as STATUS=; answer whoever asked
    refuse_handover,              ///< answer whoever asked: why not now
    pass_handover_on,             ///< to the successor, which is the one to be handed over
    pass_stop_on,                 ///< to the successor, which is a part of the service
    say_go,                       ///< tell the successor that it accepts now
    report_handover,              ///< READY=1; answer whoever asked
    start_probation,              ///< the timer of the successor's probation
    recall_connections,           ///< those that the dead successor had not read
    report_rollback,              ///< MAINPID= of ours, READY=1 with the reason as STATUS=
    hand_main_pid,        ///< MAINPID= READY=1 WATCHDOG=1, a barrier, and then tell the successor
    fall_silent,          ///< tell the service manager nothing any more
    release_successor,    ///< it goes on without us
    stop_accepting,       ///< leave whoever connects to the listener's queue
    announce_restarting,  ///< STATUS= for a restart
    announce_stopping,    ///< STOPPING=1
    drop_predecessor,     ///< connections that it still has are its own to close
    release_listeners,    ///< close our descriptors; the successor or the fd store has theirs
    retire_listeners,     ///< serve their queue, then close them; the main process for good: out of
                          ///< the fd store, unix paths unlinked
    move_connections,     ///< to the successor; those that cannot move get a long grace
    store_connections,    ///< into the fd store; those that cannot move get a short grace
    drain_promptly,       ///< somebody waits for our end: what cannot move gets a short grace
    close_remaining,      ///< cut the connections that are left
    end,                  ///< Generation::run() returns
};
inline constexpr std::size_t action_count = static_cast<std::size_t>(Action::end) + 1;

struct Transition {
    State next;
    std::span<const Action> actions;  ///< in this order; part of the table, so always valid
};

/// What `event` means in `state`. Every event is allowed in every state; one that has no row in the
/// table changes nothing.
[[nodiscard]] Transition step(State state, Event event);

/// Is whoever connects served, by this generation or, also after `go`, by its successor? Not yet
/// in the beginning, and not any more when the service stops or waits for a restart.
[[nodiscard]] bool is_ready(State state);

/// What operators read: `handoverd status`, `state` in /status, /readyz, the log.
[[nodiscard]] std::string_view to_string(State state);
/// What developers read in the log, at level debug.
[[nodiscard]] std::string_view to_string(Event event);
/// What developers read when a test fails.
[[nodiscard]] std::string_view to_string(Action action);

}  // namespace handover::lifecycle
