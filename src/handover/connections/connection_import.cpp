// SPDX-License-Identifier: MIT
#include "handover/connections/connection_import.h"

#include "handover/connections/connection_message.h"

#include <algorithm>
#include <utility>

namespace handover {

void ConnectionImport::begin(std::uint64_t from, const std::string& how) {
    account_.from = from;
    account_.how = how;
}

void ConnectionImport::take(Message message) {
    if (message.type == Message::Type::end) {
        // Several generations may have left at the same time (a restart in the middle of a reload).
        if (!account_.ended) account_.ended.emplace();
        *account_.ended += counts_of(message);
        return;
    }
    if (message.type != Message::Type::connections) return;
    auto connections = unpack(std::move(message));
    if (!connections) return take_unreadable();
    for (auto& connection : *connections) {
        const auto listener = connection.listener;
        connection.close_after_response = is_detached_(connection);
        if (services_.adopt(std::move(connection)))
            ++account_.adopted;
        else if (account_.unclaimed++ == 0)
            warn_("connections of the listener '" + listener +
                  "', which is not configured any more, are closed");
    }
}

void ConnectionImport::take_unreadable() {
    ++account_.unreadable;
    warn_("a message of generation " + std::to_string(account_.from) +
          " cannot be read: the connections in it are closed");
}

void ConnectionImport::take_all(const Channel& stored) {
    Message message;
    for (;;) {
        switch (stored.receive(message)) {
            case Channel::Received::message:
                if (message.type == Message::Type::hello)
                    begin(std::max(account_.from, message.number(Message::Tag::generation)),
                          "restart");
                else
                    take(std::move(message));
                message = {};
                break;
            case Channel::Received::refused:
                take_unreadable();
                break;
            case Channel::Received::nothing:
            case Channel::Received::closed:
                return;
        }
    }
}

}  // namespace handover
