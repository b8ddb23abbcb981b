// SPDX-License-Identifier: MIT
#pragma once

#include "handover/connection_counts.h"
#include "handover/parked_connection.h"
#include "handover/peer/channel.h"

#include <deque>
#include <optional>
#include <vector>

namespace handover {

/// Parked connections as messages of a channel, and back. Pure but for the descriptors they own.
///
/// A message `connections` has as many fields `listener` as it has descriptors, in the same order;
/// the fields `unread` that follow one belong to that connection.

/// Would the connection fit into a message of its own? Only one with more than 100 KiB unread, or
/// with a listener's name beyond 4 KiB, does not.
[[nodiscard]] bool fits_in_a_message(const ParkedConnection& connection);

/// Moves as many connections from the front of `waiting`, which is not empty, as go into one
/// message. Each must fit into a message.
[[nodiscard]] Message pack(std::deque<ParkedConnection>& waiting);

/// The connections in a message; nullopt, with all of them closed, if the fields do not match the
/// descriptors or one of those is no stream socket.
[[nodiscard]] std::optional<std::vector<ParkedConnection>> unpack(Message message);

/// The account of a generation that has ended, as the message `end`.
[[nodiscard]] Message end_message(const ConnectionCounts& counts);
/// The account in a message `end`. Close reasons that this version does not know are left out.
[[nodiscard]] ConnectionCounts counts_of(const Message& end);

}  // namespace handover
