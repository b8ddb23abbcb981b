// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

/// The life of one generation as a pure function: no system call, no clock, no memory. Generation
/// turns what happens into events and carries the actions out.
///
///     starting ---------------------------> serving <-----------------------------+
///        |                                    |  ^                                |
///        +--> waiting_for_go -- go, or -------+  |                                |
///             (ready; the       predecessor      | successor failed               |
///             predecessor       died             |                                |
///             accepts)              handover requested                            |
///                                             v  |                                |
///                                        handing_over -- ready --> promoting      |
///                                                                      |          |
///                                        draining <-- manager knows ---+          |
///     serving, handing_over, promoting -- stop ----> stopping                     |
///     serving, handing_over ------------- restart -> leaving                      |
///     draining, stopping, leaving -- drained, or deadline passed --> ended
namespace handover::lifecycle {

enum class State {
    starting,        ///< adopting and binding; serves nobody yet
    waiting_for_go,  ///< ready; the predecessor still accepts
    serving,         ///< accepts
    handing_over,    ///< accepts; a successor has been started and is not ready yet
    promoting,       ///< accepts; the service manager is being told that the successor is main
    draining,        ///< a successor accepts; finishes what is in flight
    leaving,         ///< the service restarts: the listeners wait in the fd store
    stopping,        ///< the service stops; finishes what is in flight
    ended,           ///< nothing left to do
};

enum class Event {
    started,                 ///< everything is adopted or bound; there is no predecessor
    started_by_predecessor,  ///< the same, and a predecessor waits on the channel
    go,                      ///< the predecessor says: you accept now
    predecessor_lost,        ///< it closed the channel without a word
    handover_requested,      ///< SIGHUP, SIGUSR2, admin
    successor_ready,
    successor_failed,   ///< did not start, ended, refused or took too long; the reason is at hand
    manager_informed,   ///< it has processed the new main PID, or there is none, or it takes too
                        ///< long
    stop_requested,     ///< SIGTERM
    interrupted,        ///< SIGINT: stop; the second one, at once
    restart_requested,  ///< SIGUSR1: leave; the next generation comes out of the fd store
    drained,            ///< no connection is left
    deadline_passed,    ///< the drain timeout is over
};

enum class Action {
    take_over,                 ///< count the generation up; we are the main process from here on
    store_listeners,           ///< FDSTORE=1 for what this generation bound
    start_accepting,           //
    adopt_stored_connections,  ///< what the generation before a restart put into the fd store
    announce_ready,            ///< READY=1
    say_ready,                 ///< to the predecessor
    announce_reloading,        ///< RELOADING=1
    start_successor,           //
    end_successor,             ///< kill it
    report_failed_handover,    ///< READY=1 with the reason as STATUS=; answer whoever asked
    refuse_handover,           ///< answer whoever asked: why not now
    hand_main_pid,             ///< MAINPID= READY=1 WATCHDOG=1, then a barrier
    say_go,                    ///< to the successor
    report_handover,           ///< answer whoever asked; silent towards the manager from here on
    stop_accepting,            //
    announce_leaving,          ///< STATUS= for a restart
    announce_stopping,         ///< STOPPING=1
    drop_predecessor,          ///< connections that it still has are its own to close
    release_listeners,         ///< close our descriptors; the successor or the fd store has theirs
    retire_listeners,   ///< serve their queue, then close them for good: out of the fd store,
                        ///< unix paths unlinked
    move_connections,   ///< to the successor; those that cannot move get a long grace
    store_connections,  ///< into the fd store; those that cannot move get a short grace
    drain_promptly,     ///< somebody waits for our end: what cannot move gets a short grace
    close_remaining,    ///< the deadline has passed
    end,                ///< Generation::run() returns
};

struct Transition {
    State next;
    std::vector<Action> actions;  ///< in this order
};

/// The only place where a state changes. Every event is allowed in every state; one that means
/// nothing there changes nothing.
[[nodiscard]] Transition step(State state, Event event);

[[nodiscard]] std::string_view to_string(State state);
[[nodiscard]] std::string_view to_string(Event event);
[[nodiscard]] std::string_view to_string(Action action);

}  // namespace handover::lifecycle
