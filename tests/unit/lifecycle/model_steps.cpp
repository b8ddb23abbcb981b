// SPDX-License-Identifier: MIT
// What may happen to a world, in words as well.
#include "unit/lifecycle/model.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace handover::test::model {
namespace {

using Kind = Step::Kind;

constexpr std::array all_signals{Signal::handover, Signal::stop, Signal::restart,
                                 Signal::interrupt};

/// Collects what is possible for a world.
class Possible {
  public:
    Possible(const World& world, std::vector<Step>& steps) : world_(world), steps_(steps) {}

    void by_itself() {
        for (Index index = 0; index < most_processes; ++index)
            if (at(world_, index).runs()) {
                signals(index);
                towards_predecessor(index);
                towards_successor(index);
                exports(index);
            }
        manager();
    }

    void requests() {
        // Nothing new begins for a manager that is far behind: there is an end to what we model.
        constexpr int far_behind = 9;
        if (world_.requests_left == 0 || world_.manager.notices.size > far_behind) return;
        for (Index index = 0; index < most_processes; ++index) {
            const auto& one = at(world_, index);
            if (one.runs() && (one.main || one.accepts))
                for (const Signal signal : all_signals)
                    if ((one.signals & static_cast<std::uint8_t>(signal)) == 0)
                        add(Kind::send_signal, index, static_cast<std::uint8_t>(signal));
        }
        if (world_.manager.present && world_.manager.job == Job::none) {
            add(Kind::stop_service);
            add(Kind::restart_service);
        }
    }

    void faults() {
        if (world_.faults_left == 0) return;
        for (Index index = 0; index < most_processes; ++index) {
            const auto& one = at(world_, index);
            if (!one.runs()) continue;
            add(Kind::kill, index);
            if (one.state() == State::starting) add(Kind::refuse_to_start, index);
            if (one.barrier == Barrier::waits && world_.manager.present && is_up_to_date(one))
                add(Kind::barrier_late, index);
            if (one.link == Link::going && (one.down.items[0] == Word::first_connection ||
                                            one.down.items[0] == Word::second_connection))
                add(Kind::lose_connection_message, index);
        }
        if (!world_.manager.notices.empty()) add(Kind::lose_notice);
        if (world_.next_start == World::NextStart::sound && world_.starts_left > 0) {
            add(Kind::fail_next_start);
            add(Kind::next_start_old);
        }
    }

  private:
    void add(Kind kind, Index who = nobody, std::uint8_t what = 0) {
        steps_.push_back({kind, who, what});
    }

    void signals(Index index) {
        for (const Signal signal : all_signals)
            if ((at(world_, index).signals & static_cast<std::uint8_t>(signal)) != 0)
                add(Kind::take_signal, index, static_cast<std::uint8_t>(signal));
    }

    void towards_predecessor(Index index) {
        const auto& one = at(world_, index);
        if (one.state() == State::starting) {
            if (!is_held_up(one.predecessor)) add(Kind::start_up, index);
            return;
        }
        if ((one.link == Link::waiting || one.link == Link::going) &&
            (!one.down.empty() || one.far_end_closed))
            add(Kind::read_predecessor, index);
    }

    /// A start is slow: what the predecessor was sent before is taken by then.
    [[nodiscard]] bool is_held_up(Index predecessor) const {
        return predecessor != nobody && at(world_, predecessor).runs() &&
               at(world_, predecessor).signals != 0;
    }

    void towards_successor(Index index) {
        const auto& one = at(world_, index);
        if (one.attempt != nobody) {
            const auto& successor = at(world_, one.attempt);
            if (!successor.up.empty()) add(Kind::read_successor, index);
            if (!successor.runs() && one.verdict != Verdict::failed)
                add(Kind::see_successor_end, index);
        }
        if (one.barrier == Barrier::passed ||
            (one.barrier == Barrier::waits && !world_.manager.present))
            add(Kind::barrier_passes, index);
        if (one.probation_timer && is_up_to_date(one)) add(Kind::pass_probation, index);
        if (one.ready_timer && is_up_to_date(one)) add(Kind::pass_ready_timeout, index);
    }

    void exports(Index index) {
        const auto& one = at(world_, index);
        if (one.store_barrier == Barrier::passed ||
            (one.store_barrier == Barrier::waits && !world_.manager.present))
            add(Kind::store_opens, index);
        if (one.way == Way::none) return;
        for (std::uint8_t connection = 0; connection < most_connections; ++connection) {
            if ((one.connections & (1U << connection)) == 0) continue;
            add(Kind::finish, index, connection);
            if (one.way != Way::nowhere) add(Kind::move, index, connection);
        }
        if (one.connections == 0 && !one.drained && !one.expects_imports &&
            one.store_barrier == Barrier::none)
            add(Kind::be_drained, index);
        if (one.deadline == Deadline::running && is_up_to_date(one) &&
            !drains_before(one.predecessor))
            add(Kind::pass_deadline, index);
    }

    /// Timers are slow: what was sent before is read before they pass.
    static bool is_up_to_date(const Generation& one) {
        return one.signals == 0 && one.down.empty();
    }

    /// A drain that began earlier ends earlier: all have the same drain timeout.
    [[nodiscard]] bool drains_before(Index predecessor) const {
        return predecessor != nobody && at(world_, predecessor).deadline == Deadline::running;
    }

    /// systemd reads what was sent to it before it looks for processes that have ended.
    void manager() {
        const auto& manager = world_.manager;
        if (!manager.present || manager.job == Job::down) return;
        if (!manager.notices.empty()) return add(Kind::manager_reads);
        kill_latecomers();
        if (manager.main != nobody) {
            if (!at(world_, manager.main).runs()) add(Kind::manager_sees_main_end);
            return;
        }
        if (std::none_of(world_.generations.begin(), world_.generations.end(),
                         [](const Generation& one) { return one.runs(); }))
            add(Kind::manager_sees_all_end);
    }

    /// TimeoutStopSec=, for whom a predecessor started after the signals of a job.
    void kill_latecomers() {
        if (world_.manager.job == Job::none) return;
        for (Index index = 0; index < most_processes; ++index)
            if (at(world_, index).runs() && !at(world_, index).asked_to_end)
                add(Kind::manager_kills, index);
    }

    const World& world_;
    std::vector<Step>& steps_;
};

std::string_view word(Signal signal) {
    switch (signal) {
        case Signal::handover:
            return "SIGUSR2";
        case Signal::stop:
            return "SIGTERM";
        case Signal::restart:
            return "SIGUSR1";
        case Signal::interrupt:
            return "SIGINT";
    }
    __builtin_unreachable();
}

std::string_view word(Word what) {
    constexpr std::array<std::string_view, 11> words{
        "nothing",  "ready",      "failed", "go",           "promoted",          "promote_me",
        "stopping", "restarting", "end",    "a connection", "another connection"};
    return words[static_cast<std::size_t>(what)];
}

std::string_view word(Notice::Kind what) {
    constexpr std::array<std::string_view, 10> words{"a cancelled barrier",
                                                     "READY=1",
                                                     "RELOADING=1",
                                                     "STOPPING=1",
                                                     "MAINPID=",
                                                     "FDSTORE=1",
                                                     "FDSTOREREMOVE=1",
                                                     "a channel for the fd store",
                                                     "a barrier",
                                                     "a barrier of the fd store"};
    return words[static_cast<std::size_t>(what)];
}

std::string_view word(Kind kind) {
    constexpr std::array<std::string_view, 28> words{
        "takes",
        "has started up",
        "reads of its predecessor",
        "reads of its successor",
        "sees that its successor has ended",
        "the manager reads",
        "sees the barrier pass",
        "sees what became of its channel for the fd store",
        "gives away connection",
        "is drained",
        "the manager sees the main process end",
        "the manager sees that nobody is left",
        "finishes connection",
        "sees the end of the probation",
        "sees the drain deadline pass",
        "started too late to be asked, and is killed by the manager",
        "sees the ready timeout pass",
        "is sent",
        "the manager is asked to stop the service",
        "the manager is asked to restart the service",
        "FAULT: refuses to start",
        "FAULT: is killed",
        "FAULT: the next start of a successor will fail",
        "FAULT: the next successor will be an old release",
        "FAULT: the manager does not accept",
        "FAULT: waits too long for its barrier",
        "FAULT: has no descriptors left for a message",
        "accepts connection"};
    return words[static_cast<std::size_t>(kind)];
}

std::string detail(const Step& step, const World& before) {
    switch (step.kind) {
        case Kind::take_signal:
        case Kind::send_signal:
            return std::string(word(static_cast<Signal>(step.what)));
        case Kind::read_predecessor: {
            const auto& channel = at(before, step.who).down;
            return channel.empty() ? "that it is gone" : std::string(word(channel.items[0]));
        }
        case Kind::read_successor:
            return std::string(word(at(before, at(before, step.who).attempt).up.items[0]));
        case Kind::manager_reads:
        case Kind::lose_notice: {
            const auto& notice = before.manager.notices.items[0];
            return std::string(word(notice.kind)) + " of " + std::to_string(notice.sender + 1);
        }
        case Kind::move:
        case Kind::finish:
        case Kind::connect:
            return std::to_string(step.what + 1);
        default:
            return {};
    }
}

}  // namespace

std::string to_string(const Step& step, const World& before) {
    std::string text = step.who == nobody ? "" : "process " + std::to_string(step.who + 1) + " ";
    text += word(step.kind);
    const auto more = detail(step, before);
    return more.empty() ? text : text + " " + more;
}

std::string to_string(const World& world) {
    std::string text;
    for (Index index = 0; index < most_processes; ++index) {
        const auto& one = at(world, index);
        if (one.process == Process::none) continue;
        text += text.empty() ? "" : "; ";
        text += "process " + std::to_string(index + 1) + " ";
        text += one.process == Process::running  ? std::string(lifecycle::to_string(one.state()))
                : one.process == Process::killed ? "killed"
                                                 : "ended";
        if (one.accepts) text += ", accepts";
        if (one.main) text += one.silent ? ", main, silent" : ", main";
        if (one.connections != 0) text += ", holds " + std::to_string(one.connections);
    }
    if (!world.manager.present) return text;
    text += "; manager: main " + std::to_string(world.manager.main + 1);
    if (world.manager.reloading) text += ", reloading";
    return text;
}

void append_possible(const World& world, std::vector<Step>& steps) {
    if (world.manager.job == Job::down) return;
    Possible possible(world, steps);
    possible.by_itself();
    possible.requests();
    possible.faults();
}

bool leave_alone(World& world, std::vector<std::string>* trace) {
    constexpr int timeout = 400;
    std::vector<Step> steps;
    for (int count = 0; count < timeout; ++count) {
        steps.clear();
        Possible(world, steps).by_itself();
        const auto first = std::min_element(
            steps.begin(), steps.end(),
            [](const Step& left, const Step& right) { return left.kind < right.kind; });
        if (first == steps.end() || world.manager.job == Job::down) return true;
        const auto text = trace != nullptr ? to_string(*first, world) : std::string();
        apply(world, *first);
        if (trace != nullptr) trace->push_back(text + "  [" + to_string(world) + "]");
        if (world.blunder != Blunder::none) return true;
    }
    return false;
}

}  // namespace handover::test::model
