// SPDX-License-Identifier: MIT
#pragma once

#include "unit/lifecycle/model.h"

namespace handover::test::model {

/// The connection that a message carries, as a bit; 0: none.
[[nodiscard]] inline Connections connection_in(Word word) {
    if (word == Word::first_connection) return 1;
    return word == Word::second_connection ? 2 : 0;
}

/// One generation at work: Generation::Runner with its PredecessorLink, its SuccessorLink and its
/// ConnectionExport, in the model's world.
class Actor {
  public:
    Actor(World& world, Index index)
        : world_(world), me_(world.generations[static_cast<std::uint8_t>(index)]), index_(index) {}

    void handle(Event event);

    // What arises from the system.
    void take_signal(Signal signal);
    /// False if nothing was there.
    bool read_predecessor();
    void read_successor();
    void see_successor_end();
    void give_up_attempt();
    void conclude_barrier();
    void conclude_store(bool stored);
    void move(int connection);
    void be_drained();

  private:
    // What it does in answer, in model_actions.cpp.
    void perform(Action action);
    void perform_on_predecessor(Action action);
    void perform_on_successor(Action action);

    void on_word_of_predecessor(Word word);
    void on_go();
    void on_promoted();
    void on_link_gone();
    void on_predecessor_lost();
    void read_all_of_successor();

    void start_accepting();
    void start_successor();
    void end_successor();
    void report_failed_handover();
    void report_rollback();
    void recall_connections();
    void pass_stop_on();
    void hand_main_pid();
    void release_successor();
    void forget_successor();
    void retire_listeners();
    void drop_predecessor();
    void move_connections();
    void store_connections();
    void drain_promptly();
    void close_remaining();
    void end();

    void start_drain_timeout();
    void cancel_barrier();
    void take_unread();
    void keep_connections();
    void begin_again();
    void notify(Notice::Kind kind, Index subject = nobody);
    void say_to_predecessor(Word word);
    bool say_to(Index successor, Word word);
    [[nodiscard]] bool can_send_to(Index successor) const;
    [[nodiscard]] Generation& at(Index index) { return model::at(world_, index); }
    void blunder(Blunder what) {
        if (world_.blunder == Blunder::none) world_.blunder = what;
    }

    World& world_;
    Generation& me_;
    const Index index_;
    Fifo<Event, 8> events_;
    bool handling_ = false;
};

}  // namespace handover::test::model
