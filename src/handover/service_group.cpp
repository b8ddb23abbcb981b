// SPDX-License-Identifier: MIT
#include "handover/service_group.h"

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

void ServiceGroup::start_accepting(const std::vector<Listener>& listeners) {
    for (const auto& member : members_) {
        std::vector<const Listener*> its_own;
        for (const auto& listener : listeners)
            if (std::any_of(
                    member.wanted.begin(), member.wanted.end(),
                    [&listener](const auto& wanted) { return wanted.name == listener.name; }))
                its_own.push_back(&listener);
        member.service->start_accepting(its_own);
    }
}

void ServiceGroup::stop_accepting() {
    for (const auto& member : members_) member.service->stop_accepting();
}

void ServiceGroup::accept_queued_and_stop() {
    for (const auto& member : members_) member.service->accept_queued_and_stop();
}

void ServiceGroup::drain(std::chrono::milliseconds idle_grace, std::function<void()> drained) {
    const auto round = ++drain_round_;
    not_drained_ = members_.size();
    if (members_.empty()) return loop_.post(std::move(drained));
    auto on_drained = std::make_shared<std::function<void()>>(std::move(drained));
    for (const auto& member : members_)
        member.service->drain({idle_grace}, [this, round, on_drained] {
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

std::size_t ServiceGroup::open_connections() const {
    std::size_t open = 0;
    for (const auto& member : members_) open += member.service->open_connections();
    return open;
}

}  // namespace handover
