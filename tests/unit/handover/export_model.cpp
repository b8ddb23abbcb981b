// SPDX-License-Identifier: MIT
#include "unit/handover/export_model.h"

#include <utility>

namespace handover::test {
namespace {

std::string wrong_unless(bool holds, const char* text) {
    return holds ? "" : text;
}

}  // namespace

using namespace export_phase;
using enum Phase;

bool ExportModel::can_happen(Event event) const {
    switch (event) {
        case Event::channel_opened:
        case Event::channel_refused:
            return store_asked;
        case Event::channel_full:
            return sender == Sender::to_store && has_channel && account != Account::sent;
        case Event::failed:
        case Event::all_sent:
            return sender != Sender::none && has_channel;
        case Event::late_imports:
        case Event::nothing_left:
            return services == Services::giving || services == Services::closing;
        case Event::move_to:  // one at a time, and never once the service restarts
            return sender == Sender::none || phase == done;
        default:
            return true;
    }
}

std::string ExportModel::handle(Event event) {
    if (event == Event::move_to) may_be_recalled = true;
    if (event == Event::drain || event == Event::settle) may_be_recalled = false;
    if (event == Event::channel_opened || event == Event::channel_refused) store_asked = false;
    if (event == Event::channel_full) has_channel = false;
    if (event == Event::all_sent && account == Account::on_its_way) account = Account::sent;
    const auto [next, actions] = step(phase, event, may_be_recalled);
    phase = next;
    for (const Action action : actions)
        if (const auto wrong = perform(action, event); !wrong.empty())
            return std::string(to_string(action)) + ": " + wrong;
    if (event == Event::recall) {
        may_be_recalled = store_asked = false;
        services = Services::untold;
    }
    return where_they_are();
}

std::string ExportModel::perform(Action action, Event event) {
    switch (action) {
        case Action::give:
        case Action::close:
        case Action::serve_on:
            return tell_services(action);
        case Action::begin_moving:
        case Action::begin_storing:
        case Action::use_channel:
        case Action::pass_unsent_on:
        case Action::drop_sender:
            return work_on_sender(action, event);
        case Action::warn_unsent:
        case Action::return_unsent:
        case Action::return_unread:
            return take_back(action, event);
        case Action::ask_store:
            // Told to, the export begins anew with the store and forgets what it has asked.
            return wrong_unless(!std::exchange(store_asked, true) || event != Event::channel_full,
                                "it is asked already");
        case Action::warn_not_stored:
            return wrong_unless(event == Event::channel_refused, "the store has not refused");
        case Action::send_account:
        case Action::withdraw_account:
        case Action::send_account_now:
        case Action::report_done:
            return tell_account(action);
        case Action::cut_unsent:
            return "";
    }
    return "not in the model";
}

std::string ExportModel::tell_services(Action action) {
    switch (action) {
        case Action::give:
            services = Services::giving;
            if (sender == Sender::none) return "there is no sender";
            return wrong_unless(account == Account::none, "after its account");
        case Action::close:
            services = Services::closing;
            return wrong_unless(!may_be_recalled, "they may be recalled");
        default:
            services = Services::serving_on;
            return "";
    }
}

std::string ExportModel::work_on_sender(Action action, Event event) {
    switch (action) {
        case Action::use_channel:
            if (event != Event::move_to && event != Event::channel_opened)
                return "the event brings none";
            if (std::exchange(has_channel, true)) return "it has one that still takes";
            return wrong_unless(sender != Sender::none, "there is no sender");
        case Action::pass_unsent_on:
            if (!std::exchange(sender_aside, false)) return "there is no sender aside";
            return wrong_unless(std::exchange(account, Account::none) == Account::none,
                                "the successor gets the account twice");
        case Action::drop_sender:
            return wrong_unless(
                std::exchange(sender, Sender::none) == Sender::none || account == Account::sent,
                "it has not sent the account");
        default: {
            const bool moves = action == Action::begin_moving;
            sender_aside = std::exchange(sender, moves ? Sender::to_successor : Sender::to_store) !=
                           Sender::none;
            has_channel = false;
            if (!sender_aside) account = Account::none;
            return wrong_unless(!moves || !sender_aside, "there is a sender");
        }
    }
}

std::string ExportModel::take_back(Action action, Event event) {
    if (action == Action::return_unread)
        return wrong_unless(event == Event::keep || event == Event::recall,
                            "the event brings none");
    if (services == Services::giving && event != Event::recall)
        return "the services still give to it";
    if (action == Action::return_unsent) {
        sender = Sender::none;
        has_channel = false;
        account = Account::none;
    }
    return "";
}

std::string ExportModel::tell_account(Action action) {
    switch (action) {
        case Action::send_account:
            if (!has_channel) return "there is no channel";
            return wrong_unless(std::exchange(account, Account::on_its_way) == Account::none,
                                "the account is sent twice");
        case Action::withdraw_account:
            return wrong_unless(std::exchange(account, Account::none) == Account::on_its_way,
                                "it is not on its way");
        case Action::send_account_now:
            return wrong_unless(
                sender == Sender::none || std::exchange(account, Account::sent) != Account::sent,
                "the account is sent twice");
        default:
            return wrong_unless(sender == Sender::none || account == Account::sent,
                                "the next generation has not got the account");
    }
}

std::string ExportModel::where_they_are() const {
    const auto is = [&](Sender the_sender, Account the_account, Services the_services) {
        return sender == the_sender && account == the_account && services == the_services &&
               !sender_aside;
    };
    const bool untold_or_served = services == Services::untold || services == Services::serving_on;
    bool right = false;
    switch (phase) {
        case idle:
            right = is(Sender::none, Account::none, Services::untold) && !may_be_recalled;
            break;
        case moving:
            right = is(Sender::to_successor, Account::none, Services::giving);
            break;
        case moving_until_stored:
            right = is(Sender::to_successor, Account::none, Services::giving) && store_asked;
            break;
        case finishing_move:
            right = is(Sender::to_successor, Account::on_its_way, Services::giving);
            break;
        case awaiting_store:
            right = sender == Sender::none && store_asked && untold_or_served;
            break;
        case storing:
            right = is(Sender::to_store, Account::none, Services::giving) && has_channel;
            break;
        case awaiting_channel:
            right = is(Sender::to_store, Account::none, Services::giving) && !has_channel &&
                    store_asked;
            break;
        case finishing_store:
            right = is(Sender::to_store, Account::on_its_way, Services::giving) && has_channel;
            break;
        case awaiting_recall:
            right = sender == Sender::none && may_be_recalled && services == Services::serving_on;
            break;
        case closing:
            right = sender == Sender::none && services == Services::closing && !may_be_recalled;
            break;
        case done:
            right = sender == Sender::none || account == Account::sent;
            break;
    }
    return right ? "" : "that is not how it is";
}

}  // namespace handover::test
