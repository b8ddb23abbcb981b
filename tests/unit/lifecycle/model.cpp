// SPDX-License-Identifier: MIT
#include "unit/lifecycle/model.h"

#include "unit/lifecycle/model_actor.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace handover::test::model {
namespace {

using Kind = Step::Kind;

Connections bit(int connection) {
    return static_cast<Connections>(1U << static_cast<unsigned>(connection));
}

Connections connections_in(const Fifo<Word, 6>& channel) {
    Connections all = 0;
    for (const Word word : channel.items) {
        if (word == Word::first_connection) all |= 1;
        if (word == Word::second_connection) all |= 2;
    }
    return all;
}

bool reads_predecessor(const Generation& one) {
    return one.link == Link::waiting || one.link == Link::going;
}

void signal_all(World& world, Signal signal) {
    for (auto& one : world.generations) {
        if (!one.runs()) continue;
        one.signals |= static_cast<std::uint8_t>(signal);
        one.asked_to_end = true;
    }
}

// ---- what closes by itself

/// The predecessor's end is open as long as it has an attempt, or connections to send.
void close_channels(World& world) {
    for (Index index = 0; index < most_processes; ++index) {
        auto& successor = at(world, index);
        if (successor.predecessor == nobody) continue;
        const auto& predecessor = at(world, successor.predecessor);
        if (predecessor.runs() && (predecessor.attempt == index || predecessor.target == index))
            continue;
        successor.predecessor = nobody;
        successor.far_end_closed = true;
    }
}

/// What is in a channel that nobody reads is closed with it.
void close_unread(World& world) {
    for (Index index = 0; index < most_processes; ++index) {
        auto& successor = at(world, index);
        if (successor.down.empty() || (successor.runs() && reads_predecessor(successor))) continue;
        if (successor.predecessor != nobody) {
            const auto& predecessor = at(world, successor.predecessor);
            if (predecessor.attempt == index && !predecessor.unread_taken) continue;
        }
        auto& where = successor.process == Process::killed ? world.died : world.dropped;
        where |= connections_in(successor.down);
        successor.down = {};
    }
}

/// A process that nobody refers to is forgotten.
void bury(World& world) {
    for (Index index = 0; index < most_processes; ++index) {
        auto& one = at(world, index);
        if (one.process != Process::ended && one.process != Process::killed) continue;
        if (world.manager.present && world.manager.main == index) continue;
        const auto& notices = world.manager.notices.items;
        if (std::any_of(notices.begin(), notices.end(), [index](const Notice& notice) {
                return notice.sender == index || notice.subject == index;
            }))
            continue;
        if (std::any_of(world.generations.begin(), world.generations.end(),
                        [index](const Generation& other) {
                            return other.runs() &&
                                   (other.attempt == index || other.target == index);
                        }))
            continue;
        one = {};
    }
}

void tidy(World& world) {
    close_channels(world);
    close_unread(world);
    bury(world);
}

// ---- the service manager

void manager_reads(World& world) {
    auto& manager = world.manager;
    const auto notice = manager.notices.pop();
    switch (notice.kind) {
        case Notice::Kind::nothing:
        case Notice::Kind::stopping:  // what it changes is that no reload is under way
            if (notice.kind == Notice::Kind::stopping) manager.reloading = false;
            return;
        case Notice::Kind::ready:
            manager.reloading = false;
            return;
        case Notice::Kind::reloading:
            manager.reloading = true;
            return;
        case Notice::Kind::main_pid:
            manager.reloading = false;
            if (!at(world, notice.subject).runs()) return;
            manager.main = notice.subject;
            world.orphan_was_main |= at(world, notice.subject).orphaned;
            return;
        case Notice::Kind::store_listener:
            manager.stored_by = notice.sender;
            return;
        case Notice::Kind::remove_listener:
            manager.stored_by = nobody;
            return;
        case Notice::Kind::store_channel:
            at(world, notice.sender).channel_stored = true;
            return;
        case Notice::Kind::barrier:
            if (at(world, notice.sender).barrier == Barrier::waits)
                at(world, notice.sender).barrier = Barrier::passed;
            return;
        case Notice::Kind::store_barrier:
            at(world, notice.sender).store_barrier = Barrier::passed;
            return;
    }
}

/// Restart=on-failure, KillMode=control-group. Those that are left get SIGTERM in any case, also
/// after the SIGTERM or SIGUSR1 of a job.
void manager_sees_main_end(World& world) {
    auto& manager = world.manager;
    if (manager.job == Job::none)
        manager.job = at(world, manager.main).process == Process::killed ? Job::restart : Job::stop;
    signal_all(world, Signal::stop);
    manager.main = nobody;
}

void start_from_store(World& world) {
    const Index index = 0;
    auto& first = at(world, index);
    first = {};
    first.process = Process::running;
    first.holds_listener = true;
    world.manager.main = index;
    world.manager.job = Job::none;
    world.manager.reloading = world.reloading_said = false;
    world.stop_asked = world.leave_asked = world.stores_alone =
        false;  // that ended with those who were asked
    handle(world, index, Event::started);
}

void manager_sees_all_end(World& world) {
    auto& manager = world.manager;
    if (manager.job == Job::restart) return start_from_store(world);
    manager.job = Job::down;
    manager.stored_by = nobody;
    manager.reloading = world.reloading_said = false;
    world.lost_with_store |= std::exchange(manager.stored, Connections{0});
}

void stop_service(World& world) {
    world.manager.job = Job::stop;
    world.stop_asked = true;
    signal_all(world, Signal::stop);
}

void restart_service(World& world) {
    world.manager.job = Job::restart;
    signal_all(world, Signal::restart);
}

// ---- what a step does

void finish(World& world, Generation& one, int connection) {
    one.connections = static_cast<Connections>(one.connections & ~bit(connection));
    world.finished |= bit(connection);
}

/// A new one, in the place of one that is gone.
void connect(World& world, Generation& one, int connection) {
    for (auto* gone :
         {&world.finished, &world.cut, &world.died, &world.unreadable, &world.lost_with_store})
        *gone = static_cast<Connections>(*gone & ~bit(connection));
    one.connections |= bit(connection);
}

void refuse_to_start(World& world, Index index) {
    auto& one = at(world, index);
    if (one.predecessor != nobody && !one.up.push(Word::failed)) world.blunder = Blunder::no_room;
    one.process = Process::ended;
}

void take_signal(World& world, Index who, std::uint8_t signal) {
    auto& one = at(world, who);
    one.signals = static_cast<std::uint8_t>(one.signals & ~signal);
    Actor(world, who).take_signal(static_cast<Signal>(signal));
}

void lose_notice(World& world) {
    auto& notices = world.manager.notices;
    world.notice_lost = true;
    // A barrier that is lost is one that passes at once: its pipe is closed.
    const auto kind = notices.items[0].kind;
    if (kind == Notice::Kind::barrier || kind == Notice::Kind::store_barrier)
        return manager_reads(world);
    (void)notices.pop();
}

void store_opens(World& world, Index who) {
    const bool stored = std::exchange(at(world, who).channel_stored, false);
    Actor(world, who).conclude_store(stored);
}

void pass_deadline(World& world, Index who) {
    at(world, who).deadline = Deadline::passed;
    handle(world, who, Event::deadline_passed);
}

void pass_probation(World& world, Index who) {
    at(world, who).probation_timer = false;
    handle(world, who, Event::probation_passed);
}

/// A stop that was sent to it, and that it has not seen, dies with it: others may have, or not.
void forget_stop_of(World& world, Index who) {
    constexpr auto either =
        static_cast<std::uint8_t>(Signal::stop) | static_cast<std::uint8_t>(Signal::interrupt);
    if (world.manager.present || (at(world, who).signals & either) == 0) return;
    world.leave_asked |= world.stop_asked;
    world.stop_asked = false;
}

void apply_request_or_fault(World& world, const Step& step) {
    switch (step.kind) {
        case Kind::send_signal:
            at(world, step.who).signals |= step.what;
            --world.requests_left;
            return;
        case Kind::stop_service:
            --world.requests_left;
            return stop_service(world);
        case Kind::restart_service:
            --world.requests_left;
            return restart_service(world);
        case Kind::refuse_to_start:
            --world.faults_left;
            world.main_killed_alone |= is_main_or_heir(world, step.who);
            return refuse_to_start(world, step.who);
        case Kind::kill:
            --world.faults_left;
            world.main_killed_alone |= is_main_or_heir(world, step.who);
            forget_stop_of(world, step.who);
            return kill(world, step.who);
        case Kind::fail_next_start:
            --world.faults_left;
            world.next_start = World::NextStart::fails;
            return;
        case Kind::next_start_old:
            --world.faults_left;
            world.next_start = World::NextStart::old;
            return;
        case Kind::lose_notice:
            --world.faults_left;
            return lose_notice(world);
        case Kind::barrier_late:
            --world.faults_left;
            world.manager_late = true;
            return Actor(world, step.who).conclude_barrier();
        case Kind::lose_connection_message:
            --world.faults_left;
            world.unreadable |= connections_in({{at(world, step.who).down.pop()}, 1});
            return;
        case Kind::connect:
            return connect(world, at(world, step.who), step.what);
        default:
            return;
    }
}

void apply_one(World& world, const Step& step) {
    switch (step.kind) {
        case Kind::take_signal:
            return take_signal(world, step.who, step.what);
        case Kind::start_up:
            return handle(world, step.who, Event::started_by_predecessor);
        case Kind::read_predecessor:
            (void)Actor(world, step.who).read_predecessor();
            return;
        case Kind::read_successor:
            return Actor(world, step.who).read_successor();
        case Kind::see_successor_end:
            return Actor(world, step.who).see_successor_end();
        case Kind::manager_reads:
            return manager_reads(world);
        case Kind::barrier_passes:
            return Actor(world, step.who).conclude_barrier();
        case Kind::store_opens:
            return store_opens(world, step.who);
        case Kind::move:
            return Actor(world, step.who).move(step.what);
        case Kind::be_drained:
            return Actor(world, step.who).be_drained();
        case Kind::manager_sees_main_end:
            return manager_sees_main_end(world);
        case Kind::manager_sees_all_end:
            return manager_sees_all_end(world);
        case Kind::finish:
            return finish(world, at(world, step.who), step.what);
        case Kind::pass_probation:
            return pass_probation(world, step.who);
        case Kind::pass_deadline:
            return pass_deadline(world, step.who);
        case Kind::manager_kills:
            return kill(world, step.who);
        case Kind::pass_ready_timeout:
            return Actor(world, step.who).give_up_attempt();
        default:
            return apply_request_or_fault(world, step);
    }
}

}  // namespace

std::size_t hash(const World& world) {
    std::size_t value = 0x9e3779b97f4a7c15U;
    const auto* bytes = reinterpret_cast<const unsigned char*>(&world);
    for (std::size_t i = 0; i < sizeof world; i += sizeof value) {
        std::size_t chunk = 0;
        std::memcpy(&chunk, bytes + i, std::min(sizeof chunk, sizeof world - i));
        value = (value ^ chunk) * 0xff51afd7ed558ccdU;
        value ^= value >> 29U;
    }
    return value;
}

void handle(World& world, Index who, Event event) {
    Actor(world, who).handle(event);
}

/// What it held is closed, also the successor's end of a channel. What was in its own channel can
/// be read by a predecessor that holds its end.
void kill(World& world, Index who) {
    auto& one = at(world, who);
    if (!one.runs()) return;
    one.process = Process::killed;
    one.accepts = one.holds_listener = false;
    world.died |= std::exchange(one.connections, Connections{0});
    if (one.attempt == nobody) return;
    auto& heir = at(world, one.attempt);
    if (heir.runs() && reads_predecessor(heir)) return;
    world.died |= connections_in(heir.down);
    heir.down = {};
}

bool is_main_or_heir(const World& world, Index who) {
    const auto& one = at(world, who);
    for (const auto& other : world.generations)
        if (other.runs() && other.predecessor == who && other.link != Link::gone) return false;
    const auto& words = one.down.items;
    return one.main || one.promoted || one.far_end_closed ||
           std::find(words.begin(), words.end(), Word::promoted) != words.end() ||
           (one.without_probation &&
            std::find(words.begin(), words.end(), Word::go) != words.end());
}

World beginning(const Limits& limits) {
    World world;
    world.manager.present = limits.manager;
    world.starts_left = static_cast<std::uint8_t>(limits.generations - 1);
    world.requests_left = static_cast<std::uint8_t>(limits.requests);
    world.faults_left = static_cast<std::uint8_t>(limits.faults);
    auto& first = at(world, 0);
    first.process = Process::running;
    first.holds_listener = true;
    if (limits.manager) world.manager.main = 0;
    handle(world, 0, Event::started);
    first.connections =
        static_cast<Connections>((1U << static_cast<unsigned>(limits.connections)) - 1);
    while (!world.manager.notices.empty()) manager_reads(world);
    return world;
}

void apply(World& world, const Step& step) {
    apply_one(world, step);
    tidy(world);
}

}  // namespace handover::test::model
