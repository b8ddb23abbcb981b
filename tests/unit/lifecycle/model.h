// SPDX-License-Identifier: MIT
#pragma once

#include "handover/generation/lifecycle.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

/// Several generations, each driven by lifecycle::step() alone, in a small world: channels between
/// them, a service manager, processes that die, connections that each have one owner. What an
/// action does there is what Generation::Runner does on a real system.
///
/// Left out, because the lifecycle cannot see it: the names and numbers in a message, full buffers,
/// .socket units, and everything inside of a connection. One step is what an event loop does
/// between two waits.
namespace handover::test::model {

using lifecycle::Action;
using lifecycle::Event;
using lifecycle::State;

/// A sanitizer, or not optimised: what takes seconds elsewhere takes minutes.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define HANDOVER_SLOW_BUILD
#endif
#endif
#if defined(HANDOVER_SLOW_BUILD) || defined(__SANITIZE_THREAD__) || \
    defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
constexpr bool slow_build = true;
#else
constexpr bool slow_build = false;
#endif

/// As many processes as can be there at a time.
constexpr int most_processes = 4;
using Index = std::int8_t;
constexpr Index nobody = -1;
/// One bit each.
using Connections = std::uint8_t;
constexpr int most_connections = 2;

/// First in, first out; of bytes, so that a world can be compared and hashed as bytes.
template <typename Item, std::size_t capacity>
struct Fifo {
    std::array<Item, capacity> items{};
    std::uint8_t size = 0;

    [[nodiscard]] bool empty() const { return size == 0; }
    [[nodiscard]] bool push(Item item) {
        if (size == capacity) return false;
        items[size++] = item;
        return true;
    }
    Item pop() {
        const Item first = items[0];
        for (std::size_t i = 1; i < size; ++i) items[i - 1] = items[i];
        items[--size] = Item{};
        return first;
    }
    bool operator==(const Fifo&) const = default;
};

/// A message between two generations. Each connection is a message of its own.
enum class Word : std::uint8_t {
    none,
    ready,
    failed,
    go,
    promoted,
    promote_me,
    stopping,
    restarting,
    end,
    first_connection,
    second_connection,
};

/// What is sent to the service manager.
struct Notice {
    enum class Kind : std::uint8_t {
        nothing,
        ready,
        reloading,
        stopping,
        main_pid,        ///< MAINPID= of `subject`, and READY=1
        store_listener,  ///< what `sender` bound
        remove_listener,
        store_channel,  ///< an empty one, for connections of `sender`
        barrier,        ///< of hand_main_pid()
        store_barrier,  ///< of store_connections()
    };
    Kind kind = Kind::nothing;
    Index sender = nobody;
    Index subject = nobody;

    bool operator==(const Notice&) const = default;
};

enum class Signal : std::uint8_t { handover = 1, stop = 2, restart = 4, interrupt = 8 };

struct Generation {
    enum class Process : std::uint8_t { none, running, ended, killed } process = Process::none;
    std::uint8_t state_number = 0;   ///< of a State, which is no byte
    bool old = false;                ///< of a release that knows nothing of probation
    bool without_probation = false;  ///< it, or its predecessor, is old
    bool accepts = false;
    bool holds_listener = false;
    bool main = false;
    bool silent = false;
    bool orphaned = false;
    bool newcomers = false;   ///< somebody asked for a handover, and
    bool requesters = false;  ///< the current attempt is the answer
    std::uint8_t signals = 0;
    bool asked_to_end = false;  ///< by the manager
    Connections connections = 0;

    // Towards the predecessor; the channel is the successor's, for every process has one at most.
    enum class Link : std::uint8_t { none, waiting, going, gone } link = Link::none;
    bool promoted = false;
    bool all_arrived = false;
    bool far_end_closed = false;
    bool expects_imports = false;
    Index predecessor = nobody;
    Fifo<Word, 6> down;  ///< what the predecessor has said
    Fifo<Word, 4> up;    ///< what was said to the predecessor

    // Towards the successor.
    Index attempt = nobody;
    enum class Verdict : std::uint8_t { none, ready, failed } verdict = Verdict::none;
    bool released = false;
    bool unread_taken = false;  ///< the duplicate of its end is closed
    bool ready_timer = false;
    bool probation_timer = false;
    enum class Barrier : std::uint8_t { none, waits, passed } barrier = Barrier::none;

    // Where the connections go.
    enum class Way : std::uint8_t { none, to_successor, to_store, nowhere } way = Way::none;
    Index target = nobody;
    Barrier store_barrier = Barrier::none;
    bool channel_stored = false;
    bool drained = false;
    enum class Deadline : std::uint8_t { off, running, passed } deadline = Deadline::off;

    [[nodiscard]] State state() const { return static_cast<State>(state_number); }
    [[nodiscard]] bool runs() const { return process == Process::running; }
    bool operator==(const Generation&) const = default;
};

struct Manager {
    bool present = false;
    Index main = nobody;
    bool reloading = false;
    Index stored_by = nobody;  ///< whose listeners the fd store holds
    Connections stored = 0;
    /// `down` is the end of the service, and of a world.
    enum class Job : std::uint8_t { none, stop, restart, down } job = Job::none;
    Fifo<Notice, 20> notices;

    bool operator==(const Manager&) const = default;
};

/// What no event may lead to, found where it happens.
enum class Blunder : std::uint8_t {
    none,
    no_room,           ///< the model is too small
    no_attempt,        ///< acts on a successor that it has let go
    no_listener,       ///< accepts without
    killed_its_heir,   ///< ends, and takes a successor along that was not released
    two_attempts,      ///< starts a successor while there is one
    dropped_requests,  ///< forgets who asked for a handover
};

struct World {
    std::array<Generation, most_processes> generations;
    Manager manager;
    // Where connections are that nobody owns any more.
    Connections finished = 0;
    Connections cut = 0;              ///< at a deadline
    Connections died = 0;             ///< with a process that was killed
    Connections unreadable = 0;       ///< the receiver had no descriptors left
    Connections dropped = 0;          ///< by a process that ended in good order
    Connections lost_with_store = 0;  ///< the service stopped, and the fd store went with it

    enum class NextStart : std::uint8_t { sound, fails, old } next_start = NextStart::sound;
    bool reloading_said = false;  ///< and not READY=1
    bool stop_asked = false;      ///< of a generation that had the service to stop, or the manager
    bool leave_asked = false;     ///< of one generation alone
    bool main_killed_alone = false;  ///< and nobody was there who could have taken over
    bool notice_lost = false;
    bool manager_late = false;     ///< a barrier was given up
    bool orphan_was_main = false;  ///< for the manager, which it does not know
    bool stores_alone = false;     ///< a generation leaves, or an orphan stops: no restart is sure
    std::uint8_t starts_left = 0;  ///< of successors
    std::uint8_t requests_left = 0;
    std::uint8_t faults_left = 0;
    Blunder blunder = Blunder::none;

    bool operator==(const World&) const = default;
};
static_assert(std::has_unique_object_representations_v<World>, "it is hashed as bytes");

using Barrier = Generation::Barrier;
using Deadline = Generation::Deadline;
using Job = Manager::Job;
using Link = Generation::Link;
using Process = Generation::Process;
using Verdict = Generation::Verdict;
using Way = Generation::Way;

[[nodiscard]] inline Generation& at(World& world, Index index) {
    return world.generations[static_cast<std::uint8_t>(index)];
}
[[nodiscard]] inline const Generation& at(const World& world, Index index) {
    return world.generations[static_cast<std::uint8_t>(index)];
}

[[nodiscard]] std::size_t hash(const World& world);

/// What may happen to a world.
struct Step {
    enum class Kind : std::uint8_t {
        // What goes on by itself; in this order, when a world is left alone.
        take_signal,
        start_up,
        read_predecessor,
        read_successor,
        see_successor_end,
        manager_reads,
        barrier_passes,
        store_opens,
        move,
        be_drained,
        manager_sees_main_end,
        manager_sees_all_end,
        finish,
        pass_probation,
        pass_deadline,
        manager_kills,
        // What goes on by itself, and need not.
        pass_ready_timeout,
        // Requests.
        send_signal,
        stop_service,
        restart_service,
        // Faults.
        refuse_to_start,
        kill,
        fail_next_start,
        next_start_old,
        lose_notice,
        barrier_late,
        lose_connection_message,
        // Only in the simulation.
        connect,
    };
    Kind kind = Kind::take_signal;
    Index who = nobody;
    std::uint8_t what = 0;  ///< a signal or a connection
};

[[nodiscard]] std::string to_string(const Step& step, const World& before);
[[nodiscard]] std::string to_string(const World& world);

struct Limits {
    bool manager = true;
    int generations = 2;
    int connections = 1;
    int requests = 2;
    int faults = 1;
};

/// One generation serves, and holds all connections.
[[nodiscard]] World beginning(const Limits& limits);

/// Appends to `steps` what is possible. Requests and faults only as long as there are any left.
void append_possible(const World& world, std::vector<Step>& steps);
void apply(World& world, const Step& step);
/// A generation carries out what `event` means to it.
void handle(World& world, Index who, Event event);
void kill(World& world, Index who);
/// Whether `who` is the main process, or will be as soon as it reads what has been said to it.
[[nodiscard]] bool is_main_or_heir(const World& world, Index who);

/// Neither requests nor faults any more: what goes on by itself goes on until nothing does. False
/// if it never ends. Adds what happened to `trace`, if there is one.
[[nodiscard]] bool leave_alone(World& world, std::vector<std::string>* trace = nullptr);

}  // namespace handover::test::model
