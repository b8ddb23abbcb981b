// SPDX-License-Identifier: MIT
#include "unit/lifecycle/model_invariants.h"

#include <algorithm>
#include <array>
#include <bit>

namespace handover::test::model {
namespace {

using When = Invariant::When;

template <typename Predicate>
auto count(const World& world, Predicate predicate) {
    return std::count_if(world.generations.begin(), world.generations.end(),
                         [&](const Generation& one) { return one.runs() && predicate(one); });
}

template <typename Predicate>
bool any(const World& world, Predicate predicate) {
    return count(world, predicate) != 0;
}

bool contains(const Generation& one, Word word) {
    const auto& words = one.down.items;
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// A stop was asked for, or a single generation was asked to leave, which nothing follows.
bool may_end(const World& world) {
    return world.stop_asked || world.leave_asked;
}

/// Without a service manager nobody starts a new main process when the only one is killed.
bool is_beyond_help(const World& world) {
    return !world.manager.present && world.main_killed_alone;
}

/// The manager does not say what it did not accept: it may end a service whose MAINPID= it missed,
/// or start a new one without a listener that it does not have.
bool is_misled(const World& world) {
    return world.manager.present &&
           (world.notice_lost || world.manager_late || world.orphan_was_main);
}

bool is_on_its_way_to_the_store(const World& world) {
    const auto& notices = world.manager.notices.items;
    return std::any_of(notices.begin(), notices.end(), [](const Notice& notice) {
        return notice.kind == Notice::Kind::store_listener;
    });
}

// ---- at every moment

/// Between `go` and its reading nobody accepts: the kernel queues, in a listener that both hold.
/// The same between the end of a successor and the moment its predecessor sees it.
bool some_generation_accepts_or_the_listener_is_in_the_store(const World& world) {
    if (may_end(world) || is_beyond_help(world) || is_misled(world)) return true;
    return any(world, [](const Generation& one) { return one.accepts; }) ||
           (world.manager.present &&
            (world.manager.stored_by != nobody || is_on_its_way_to_the_store(world))) ||
           any(world, [](const Generation& one) {
               return one.holds_listener && (contains(one, Word::go) || one.attempt != nobody ||
                                             (one.link == Link::waiting && one.far_end_closed));
           });
}

/// Who leaves or stops says nothing but that. An orphan says nothing: its manager is about to end
/// it.
bool at_most_one_believes_it_is_main(const World& world) {
    return count(world, [](const Generation& one) {
               return one.main && !one.orphaned && one.state() != State::restarting &&
                      one.state() != State::stopping;
           }) <= 1;
}

/// READY=1 comes out of handing_over and promoting_before_go on every way; so one of them owes it.
/// A manager that has missed MAINPID= does not see that the one who owes it was killed.
bool ready_follows_every_reloading(const World& world) {
    if (!world.reloading_said || is_misled(world)) return true;
    return any(world,
               [](const Generation& one) {
                   return one.state() == State::handing_over ||
                          one.state() == State::promoting_before_go;
               }) ||
           // It was killed: the manager starts anew, and forgets that.
           world.manager.main == nobody ||
           !world.generations[static_cast<std::uint8_t>(world.manager.main)].runs();
}

bool each_connection_has_exactly_one_owner(const World& world) {
    Connections seen = 0;
    int times = 0;
    const auto see = [&](Connections some) {
        seen |= some;
        times += std::popcount(some);
    };
    for (const auto& one : world.generations) {
        see(one.connections);
        for (const Word word : one.down.items)
            see(word == Word::first_connection    ? Connections{1}
                : word == Word::second_connection ? Connections{2}
                                                  : Connections{0});
    }
    for (const Connections gone : {world.manager.stored, world.finished, world.cut, world.died,
                                   world.unreadable, world.dropped, world.lost_with_store})
        see(gone);
    return times == std::popcount(seen) && std::has_single_bit(seen + 1U) && seen != 0;
}

bool no_generation_that_ends_in_good_order_drops_a_connection(const World& world) {
    return world.dropped == 0;
}

bool a_stop_or_a_restart_loses_no_connection_in_the_store(const World& world) {
    return world.lost_with_store == 0 || world.stores_alone || is_misled(world);
}

bool nobody_blunders(const World& world) {
    return world.blunder == Blunder::none;
}

// ---- as soon as nothing happens any more

bool stop_always_ends(const World& world) {
    return !world.stop_asked || !any(world, [](const Generation&) { return true; });
}

bool nobody_waits_for_ever(const World& world) {
    return !any(world, [](const Generation& one) {
        return one.state() != State::serving || one.newcomers || one.requesters;
    });
}

bool one_generation_serves(const World& world) {
    if (may_end(world) || is_beyond_help(world) || is_misled(world)) return true;
    return count(world,
                 [&](const Generation& one) {
                     return one.accepts && one.main && !(one.silent && world.manager.present);
                 }) == 1 &&
           count(world, [](const Generation&) { return true; }) == 1;
}

bool the_manager_knows_the_main_process(const World& world) {
    if (!world.manager.present || world.manager.job == Job::down || is_misled(world)) return true;
    const auto main = world.manager.main;
    return main != nobody && !world.manager.reloading &&
           (world.manager.stored_by == main || world.leave_asked) &&
           world.generations[static_cast<std::uint8_t>(main)].main;
}

/// But those of a generation on probation that alone was asked to leave, which no manager does: it
/// asks all of them.
bool no_connection_waits_in_the_store(const World& world) {
    return world.manager.stored == 0 || world.stores_alone;
}

constexpr std::array all{
    Invariant{"some_generation_accepts_or_the_listener_is_in_the_store", When::always,
              some_generation_accepts_or_the_listener_is_in_the_store},
    Invariant{"at_most_one_believes_it_is_main", When::always, at_most_one_believes_it_is_main},
    Invariant{"ready_follows_every_reloading", When::always, ready_follows_every_reloading},
    Invariant{"each_connection_has_exactly_one_owner", When::always,
              each_connection_has_exactly_one_owner},
    Invariant{"no_generation_that_ends_in_good_order_drops_a_connection", When::always,
              no_generation_that_ends_in_good_order_drops_a_connection},
    Invariant{"a_stop_or_a_restart_loses_no_connection_in_the_store", When::always,
              a_stop_or_a_restart_loses_no_connection_in_the_store},
    Invariant{"nobody_blunders", When::always, nobody_blunders},
    Invariant{"stop_always_ends", When::at_rest, stop_always_ends},
    Invariant{"nobody_waits_for_ever", When::at_rest, nobody_waits_for_ever},
    Invariant{"one_generation_serves", When::at_rest, one_generation_serves},
    Invariant{"the_manager_knows_the_main_process", When::at_rest,
              the_manager_knows_the_main_process},
    Invariant{"no_connection_waits_in_the_store", When::at_rest, no_connection_waits_in_the_store},
};

}  // namespace

std::span<const Invariant> invariants() {
    return all;
}

std::string_view violated(const World& world, Invariant::When when) {
    for (const auto& invariant : all)
        if (invariant.when == when && !invariant.holds(world)) return invariant.name;
    return {};
}

}  // namespace handover::test::model
