// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

/// The life of one generation as a pure function: no system call, no clock, no memory. Generation
/// turns what happens into events and carries the actions out.
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
///     whoever accepts ------- stop ----> stopping
///     whoever accepts ------- restart -> restarting
///     draining, stopping, restarting ------ drained, or deadline passed --> ended
///
/// `watching` and `promoting` are several states, for there are two things to wait for: the time of
/// the probation, and the last request in flight. The predecessor is the main process as long as it
/// watches: the service manager's supervision never rests on a release that nobody knows yet.
namespace handover::lifecycle {

enum class State {
    starting,             ///< adopting and binding; serves nobody yet
    waiting_for_go,       ///< ready; the predecessor still accepts
    on_probation,         ///< accepts; the predecessor is the main process and watches us
    awaiting_promotion,   ///< the same, and was asked to hand over itself: wants to be main first
    serving,              ///< accepts; is the main process
    handing_over,         ///< accepts; a successor has been started and is not ready yet
    promoting_before_go,  ///< accepts; makes a successor main that knows nothing of probation
    watching,             ///< a successor accepts; finishes what is in flight
    watching_drained,     ///< nothing is left in flight; the probation is not over
    watching_longer,      ///< the probation is over; something is left in flight
    promoting,            ///< the successor becomes the main process; something is left in flight
    promoting_drained,    ///< the successor becomes the main process, and then we end
    draining,             ///< the successor is the main process; finishes what is in flight
    restarting,           ///< the service restarts: the listeners wait in the fd store
    stopping,             ///< the service stops; finishes what is in flight
    ended,                ///< nothing left to do
};

enum class Event {
    started,                 ///< everything is adopted or bound; there is no predecessor
    started_by_predecessor,  ///< the same, and a predecessor waits on the channel
    go,                      ///< the predecessor says: you accept now
    promoted,                ///< the predecessor says: you are the main process
    predecessor_lost,        ///< it is gone, and has not said that
    handover_requested,      ///< SIGHUP, SIGUSR2, admin
    successor_ready,
    old_successor_ready,  ///< the same, of a release that knows nothing of probation
    successor_failed,     ///< did not start, ended, refused or took too long; the reason is at hand
    promotion_wanted,     ///< the successor is to hand over itself
    probation_passed,     ///< the time is over
    main_pid_handed,    ///< the service manager and the successor know, or there is no manager, or
                        ///< it takes too long
    stop_requested,     ///< SIGTERM, or the successor was asked
    interrupted,        ///< SIGINT: stop; the second one, at once
    restart_requested,  ///< SIGUSR1: leave; the next generation comes out of the fd store
    drained,            ///< no connection is left
    deadline_passed,    ///< the drain timeout is over
};

enum class Action {
    take_over,                    ///< count the generation up
    store_listeners,              ///< FDSTORE=1 for what this generation bound
    start_accepting,              //
    adopt_stored_connections,     ///< what the generation before a restart put into the fd store
    announce_ready,               ///< READY=1: we are the main process from here on
    report_serving,               ///< to the log
    say_ready,                    ///< to the predecessor
    ask_for_promotion,            ///< of the predecessor
    pass_stop_to_predecessor,     ///< or it would take the listeners back
    pass_restart_to_predecessor,  ///< the same
    announce_reloading,           ///< RELOADING=1
    start_successor,              //
    end_successor,                ///< kill it
    report_failed_handover,       ///< READY=1 with the reason as STATUS=; answer whoever asked
    refuse_handover,              ///< answer whoever asked: why not now
    pass_handover_on,             ///< to the successor
    pass_stop_on,                 ///< to the successor
    say_go,                       ///< to the successor
    report_handover,              ///< READY=1; answer whoever asked
    start_probation,              ///< the timer
    recall_connections,           ///< those that the dead successor had not read
    report_rollback,              ///< MAINPID= of ours, READY=1 with the reason as STATUS=
    hand_main_pid,        ///< MAINPID= READY=1 WATCHDOG=1, a barrier, and then the successor
    fall_silent,          ///< towards the service manager
    release_successor,    ///< it goes on without us
    stop_accepting,       //
    announce_restarting,  ///< STATUS= for a restart
    announce_stopping,    ///< STOPPING=1
    drop_predecessor,     ///< connections that it still has are its own to close
    release_listeners,    ///< close our descriptors; the successor or the fd store has theirs
    retire_listeners,     ///< serve their queue, then close them; the main process for good: out of
                          ///< the fd store, unix paths unlinked
    move_connections,     ///< to the successor; those that cannot move get a long grace
    store_connections,    ///< into the fd store; those that cannot move get a short grace
    drain_promptly,       ///< somebody waits for our end: what cannot move gets a short grace
    close_remaining,      ///< the deadline has passed
    end,                  ///< Generation::run() returns
};

struct Transition {
    State next;
    std::vector<Action> actions;  ///< in this order
};

/// The only place where a state changes. Every event is allowed in every state; one that means
/// nothing there changes nothing.
[[nodiscard]] Transition step(State state, Event event);

/// Is whoever connects served, by this generation or, also after `go`, by its successor? Not yet
/// in the beginning, and not any more when the service stops or waits for a restart.
[[nodiscard]] bool is_ready(State state);

[[nodiscard]] std::string_view to_string(State state);
[[nodiscard]] std::string_view to_string(Event event);
[[nodiscard]] std::string_view to_string(Action action);

}  // namespace handover::lifecycle
