// SPDX-License-Identifier: MIT
#include "handover/connections/service_group.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace handover {

void ServiceGroup::add(Service& service, std::vector<WantedListener> wanted) {
    members_.push_back({&service, std::move(wanted)});
}

std::vector<WantedListener> ServiceGroup::wanted() const {
    std::vector<WantedListener> all;
    for (const auto& member : members_)
        all.insert(all.end(), member.wanted.begin(), member.wanted.end());
    return all;
}

bool ServiceGroup::Member::wants(const std::string& listener) const {
    return std::any_of(wanted.begin(), wanted.end(),
                       [&listener](const auto& one) { return one.name == listener; });
}

void ServiceGroup::start_accepting(const std::vector<Listener>& listeners,
                                   const std::vector<Listener>& dropped) {
    ++drain_round_;  // what they may have begun to drain, they keep
    accepting_ = true;
    for (const auto& member : members_) {
        std::vector<const Listener*> its_own;
        for (const auto* some : {&listeners, &dropped})
            for (const auto& listener : *some)
                if (member.wants(listener.name)) its_own.push_back(&listener);
        member.service->start_accepting(its_own);
    }
}

/// Both queues are looked at, so that nobody waits longer than the others do for that.
void ServiceGroup::detach(const std::vector<Listener>& dropped,
                          const std::vector<Listener>& listeners) {
    if (dropped.empty()) return;
    const bool go_on = accepting_;
    if (!go_on) start_accepting({}, dropped);
    accept_queued_and_stop();
    if (go_on) start_accepting(listeners);
}

void ServiceGroup::stop_accepting() {
    accepting_ = false;
    for (const auto& member : members_) member.service->stop_accepting();
}

void ServiceGroup::serve_on() {
    ++drain_round_;
    accepting_ = false;
    for (const auto& member : members_) member.service->start_accepting({});
}

void ServiceGroup::accept_queued_and_stop() {
    accepting_ = false;
    for (const auto& member : members_) member.service->accept_queued_and_stop();
}

bool ServiceGroup::adopt(ParkedConnection connection) {
    const auto owner = std::find_if(members_.begin(), members_.end(), [&](const Member& member) {
        return member.wants(connection.listener);
    });
    if (owner == members_.end())
        close_politely(std::move(connection));
    else
        owner->service->adopt(std::move(connection));
    return owner != members_.end();
}

void ServiceGroup::drain(const Service::Drain& how, std::function<void()> drained) {
    const auto round = ++drain_round_;
    not_drained_ = members_.size();
    if (members_.empty()) return loop_.post(std::move(drained));
    auto on_drained = std::make_shared<std::function<void()>>(std::move(drained));
    for (const auto& member : members_)
        member.service->drain(how, [this, round, on_drained] {
            loop_.post([this, round, on_drained] {
                if (round == drain_round_ && --not_drained_ == 0) (*on_drained)();
            });
        });
}

std::size_t ServiceGroup::close_remaining() {
    std::size_t closed = 0;
    for (const auto& member : members_) closed += member.service->close_remaining();
    return closed;
}

bool ServiceGroup::is_responsive(std::chrono::milliseconds within) const {
    return std::all_of(members_.begin(), members_.end(), [within](const Member& member) {
        return member.service->is_responsive(within);
    });
}

ConnectionCounts ServiceGroup::counts() const {
    ConnectionCounts sum;
    for (const auto& member : members_) sum += member.service->counts();
    return sum;
}

}  // namespace handover
