// SPDX-License-Identifier: MIT
#include "handover/parked_connection.h"

#include <sys/socket.h>

#include <array>

namespace handover {

void close_politely(ParkedConnection connection) {
    ::shutdown(connection.fd.get(), SHUT_WR);
    std::array<char, 4096> unwanted;
    // A few turns only: a client that sends without end must not hold us up.
    for (int i = 0; i < 16; ++i)
        if (::recv(connection.fd.get(), unwanted.data(), unwanted.size(), MSG_DONTWAIT) <= 0) break;
}

}  // namespace handover
