// SPDX-License-Identifier: MIT
#include "http/connection_table.h"

#include "http/error_response.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace handover::http {
namespace {

/// Has the client sent something that nobody has read yet? Its FIN does not count.
bool has_unread_bytes(int fd) {
    int bytes = 0;
    return ::ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

int descriptor(const epoll_event& event) {
    return static_cast<int>(event.data.u64 & 0xffffffffU);
}

std::uint32_t generation(const epoll_event& event) {
    return static_cast<std::uint32_t>(event.data.u64 >> 32U);
}

/// Has what it waits for come already, in another generation?
bool is_due(const Connection& connection) {
    return connection.waiting == Waiting::for_request && !connection.unread.empty();
}

}  // namespace

void ConnectionTable::List::append(Connection& connection) {
    connection.previous = last;
    connection.next = nullptr;
    (last != nullptr ? last->next : first) = &connection;
    last = &connection;
    ++size;
    if (connection.claimed) ++claimed;
}

void ConnectionTable::List::remove(Connection& connection) {
    (connection.previous != nullptr ? connection.previous->next : first) = connection.next;
    (connection.next != nullptr ? connection.next->previous : last) = connection.previous;
    --size;
    if (connection.claimed) --claimed;
}

ConnectionTable::ConnectionTable(int epoll, Callbacks callbacks, const ServerCounters& counters)
    : epoll_(epoll), callbacks_(std::move(callbacks)), counters_(counters) {}

ConnectionTable::~ConnectionTable() {
    for (auto& block : blocks_) delete block.load();
}

Connection* ConnectionTable::slot(int fd) noexcept {
    const auto number = static_cast<std::size_t>(fd);
    if (number >= block_size * block_count) return nullptr;
    Block* block = blocks_[number / block_size].load(std::memory_order_acquire);
    return block != nullptr ? &(*block)[number % block_size] : nullptr;
}

Connection* ConnectionTable::slot_or_new_block(int fd) {
    const auto number = static_cast<std::size_t>(fd);
    if (number >= block_size * block_count) return nullptr;
    auto& place = blocks_[number / block_size];
    if (place.load(std::memory_order_acquire) == nullptr) {
        auto fresh = std::unique_ptr<Block>(new (std::nothrow) Block);
        Block* nobody = nullptr;
        if (fresh && place.compare_exchange_strong(nobody, fresh.get())) (void)fresh.release();
    }
    return slot(fd);
}

bool ConnectionTable::arm(Connection& connection, int operation) const {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    // The next chance to write is now. Once; then look_again has it armed without.
    if (is_due(connection)) {
        event.events |= EPOLLOUT;
        connection.look_again = true;
    }
    event.data.u64 = std::uint64_t{connection.generation} << 32U |
                     static_cast<std::uint32_t>(connection.fd.get());
    return ::epoll_ctl(epoll_, operation, connection.fd.get(), &event) == 0;
}

bool ConnectionTable::admit(UniqueFd fd, std::uint16_t listener, const SocketName& remote,
                            std::string unread, bool close_after_response) {
    count_opened();
    Detached arriving{std::move(fd), listener, std::move(unread), close_after_response};
    if (giving_) {
        open_.fetch_add(1);
        give(std::move(arriving), remote);
        return true;
    }
    if (put_in(arriving, remote)) return true;
    count(CloseReason::no_room);
    return false;
}

void ConnectionTable::count_stillborn(CloseReason ending) {
    count_opened();
    count(ending);
}

void ConnectionTable::count_opened() {
    opened_.fetch_add(1);
    counters_.opened();
}

bool ConnectionTable::put_in(Detached& one, const SocketName& remote) {
    const int number = one.fd.get();
    Connection* connection = slot_or_new_block(number);
    if (connection == nullptr) return false;
    Stripe& stripe = stripe_of(number);
    UniqueFd refused;
    const std::lock_guard lock(stripe.mutex);
    connection->fd = std::move(one.fd);
    connection->listener = one.listener;
    connection->close_after_response = one.close_after_response;
    connection->unread = std::move(one.unread);
    connection->remote = remote;
    connection->local = SocketName{};
    connection->claimed = false;
    connection->look_again = false;
    connection->concluded = false;
    connection->waiting = Waiting::for_request;
    connection->since = Clock::now();
    stripe.lists[index(Waiting::for_request)].append(*connection);
    open_.fetch_add(1);
    if (arm(*connection, EPOLL_CTL_ADD)) return true;
    refused = release(stripe, *connection);
    open_.fetch_sub(1);
    return false;
}

Connection* ConnectionTable::claim(const epoll_event& event) {
    const int number = descriptor(event);
    Connection* connection = slot(number);
    if (connection == nullptr) return nullptr;
    Stripe& stripe = stripe_of(number);
    const std::lock_guard lock(stripe.mutex);
    if (connection->generation != generation(event)) return nullptr;
    // Its end came with this event, and none will come after the bytes before it have been read.
    constexpr std::uint32_t end = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    if (connection->claimed || (event.events & end) != 0) connection->look_again = true;
    // It stays on its list, where the sweep passes it over.
    if (std::exchange(connection->claimed, true)) return nullptr;
    ++stripe.lists[index(connection->waiting)].claimed;
    return connection;
}

void ConnectionTable::report_again(const epoll_event& event) {
    if (Connection* connection = claim(event))
        park(*connection, connection->waiting, Time::runs_on, false);
}

void ConnectionTable::park(Connection& connection, Waiting waiting, Time time, bool exhausted) {
    Stripe& stripe = stripe_of(connection.fd.get());
    Detached detached{};
    SocketName remote;
    {
        const std::lock_guard lock(stripe.mutex);
        if (waiting != connection.waiting || time == Time::begins) {
            stripe.lists[index(connection.waiting)].remove(connection);
            connection.waiting = waiting;
            connection.since = Clock::now();
            stripe.lists[index(waiting)].append(connection);
        }
        // Looked at under the lock: start_giving() takes it after having said so.
        if (!giving_ || waiting == Waiting::for_client_close) {
            connection.claimed = false;
            --stripe.lists[index(waiting)].claimed;
            // Under the lock: as soon as it is not claimed the sweep could close it, and the
            // descriptor number could already belong to another connection.
            if (std::exchange(connection.look_again, false) || !exhausted || is_due(connection))
                (void)arm(connection, EPOLL_CTL_MOD);
            return;
        }
        remote = connection.remote;
        detached = take_out(stripe, connection);
    }
    give(std::move(detached), remote);
}

void ConnectionTable::conclude(Connection& connection, CloseReason ending) {
    const std::lock_guard lock(stripe_of(connection.fd.get()).mutex);
    count(connection, ending);
}

void ConnectionTable::close(Connection& connection, CloseReason ending) {
    UniqueFd fd;
    {
        Stripe& stripe = stripe_of(connection.fd.get());
        const std::lock_guard lock(stripe.mutex);
        count(connection, ending);
        fd = release(stripe, connection);
    }
    fd.reset();
    gone(1);
}

// ---- Giving away

/// Here the descriptor has to leave epoll: its twin in the other process lives on, and would keep
/// the registration alive.
ConnectionTable::Detached ConnectionTable::take_out(Stripe& stripe, Connection& connection) const {
    (void)::epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.fd.get(), nullptr);
    Detached detached{UniqueFd(), connection.listener, std::move(connection.unread),
                      connection.close_after_response};
    detached.fd = release(stripe, connection);
    return detached;
}

/// It counts as open until somebody else has it, so that `on_empty` does not come too early.
void ConnectionTable::give(Detached one, const SocketName& remote) {
    auto ending = CloseReason::moved;
    if (!callbacks_.give(one)) {
        if (put_in(one, remote)) return gone(1);  // counted twice meanwhile
        ending = CloseReason::no_room;
    }
    count(ending);
    gone(1);
}

void ConnectionTable::start_giving() {
    giving_ = true;
    std::vector<std::pair<Detached, SocketName>> detached;
    for (Stripe& stripe : stripes_) {
        {
            const std::lock_guard lock(stripe.mutex);
            for (const auto waiting :
                 {Waiting::for_request, Waiting::for_rest_of_head, Waiting::for_rest_of_body}) {
                Connection* next = stripe.lists[index(waiting)].first;
                while (next != nullptr) {
                    Connection& connection = *std::exchange(next, next->next);
                    if (connection.claimed) continue;  // its worker will find that we are giving
                    const SocketName remote = connection.remote;
                    detached.emplace_back(take_out(stripe, connection), remote);
                }
            }
        }
        for (auto& [one, remote] : detached) give(std::move(one), remote);
        detached.clear();
    }
}

// ---- Ends

void ConnectionTable::count(CloseReason ending) {
    ended_[static_cast<std::size_t>(ending)].fetch_add(1);
    counters_.ended(ending);
}

void ConnectionTable::count(Connection& connection, CloseReason ending) {
    if (!std::exchange(connection.concluded, true)) count(ending);
}

ConnectionCounts ConnectionTable::counts() const {
    ConnectionCounts counts;
    // Ends before beginnings: seen the other way round, more could have ended than began.
    for (std::size_t i = 0; i < close_reason_count; ++i) counts.ended[i] = ended_[i].load();
    counts.opened = opened_.load();
    return counts;
}

ConnectionStates ConnectionTable::states() {
    ConnectionStates states;
    const auto waiting_in = [](const List& list) { return list.size - list.claimed; };
    for (Stripe& stripe : stripes_) {
        const std::lock_guard lock(stripe.mutex);
        for (const List& list : stripe.lists) states.active += list.claimed;
        const List& lingering = stripe.lists[index(Waiting::for_client_close)];
        states.active -= lingering.claimed;
        states.lingering += lingering.size;
        states.idle += waiting_in(stripe.lists[index(Waiting::for_request)]);
        for (const auto waiting : {Waiting::for_rest_of_head, Waiting::for_rest_of_body})
            states.receiving += waiting_in(stripe.lists[index(waiting)]);
    }
    return states;
}

/// No EPOLL_CTL_DEL: should a copy of the socket outlive ours (in a child between fork and exec),
/// the generation makes its events find nothing.
UniqueFd ConnectionTable::release(Stripe& stripe, Connection& connection) {
    stripe.lists[index(connection.waiting)].remove(connection);
    if (++connection.generation == 0) connection.generation = 1;  // 0 marks what is no connection
    connection.unread = std::string();
    return std::move(connection.fd);
}

void ConnectionTable::gone(std::size_t count) {
    if (count > 0 && open_.fetch_sub(count) == count) callbacks_.on_empty();
}

void ConnectionTable::sweep(const Cutoffs& cutoffs, CloseReason idle_ending) {
    for (Stripe& stripe : stripes_)
        for (const auto waiting : {Waiting::for_request, Waiting::for_rest_of_head,
                                   Waiting::for_rest_of_body, Waiting::for_client_close})
            while (expire_some(stripe, waiting, cutoffs[index(waiting)], idle_ending) > 0) continue;
}

/// A batch, so that the lock is not held while thousands are closed. Returns how many expired.
std::size_t ConnectionTable::expire_some(Stripe& stripe, Waiting waiting, Clock::time_point cutoff,
                                         CloseReason ending) {
    std::array<UniqueFd, 64> closing;
    std::size_t closed = 0;
    std::vector<TimedOut> refused;
    {
        const std::lock_guard lock(stripe.mutex);
        Connection* next = stripe.lists[index(waiting)].first;
        while (next != nullptr && next->since <= cutoff &&
               closed + refused.size() < closing.size()) {
            Connection& connection = *std::exchange(next, next->next);
            if (connection.claimed) continue;
            const bool lingering = waiting == Waiting::for_client_close;
            if (!lingering && has_unread_bytes(connection.fd.get())) {
                (void)arm(connection, EPOLL_CTL_MOD);  // should no event have told
                continue;
            }
            if (lingering || waiting == Waiting::for_request) {
                count(connection, ending);
                closing[closed++] = release(stripe, connection);
                continue;
            }
            refused.push_back(refuse_late(stripe, connection));
        }
    }
    for (std::size_t i = 0; i < closed; ++i) closing[i].reset();
    gone(closed);
    for (const auto& one : refused) callbacks_.timed_out(one);
    return closed + refused.size();
}

/// It lingers from now on.
ConnectionTable::TimedOut ConnectionTable::refuse_late(Stripe& stripe, Connection& connection) {
    refuse(connection.fd.get(), Refusal::request_timeout, counters_);
    count(connection, CloseReason::timed_out);
    TimedOut result{connection.remote, std::exchange(connection.unread, {}), connection.since};
    stripe.lists[index(connection.waiting)].remove(connection);
    connection.waiting = Waiting::for_client_close;
    connection.since = Clock::now();
    stripe.lists[index(connection.waiting)].append(connection);
    return result;
}

std::size_t ConnectionTable::cut_all() {
    std::size_t cut = 0;
    std::size_t parked = 0;
    for (Stripe& stripe : stripes_) {
        const std::lock_guard lock(stripe.mutex);
        for (List& list : stripe.lists) {
            Connection* next = list.first;
            while (next != nullptr) {
                Connection& connection = *std::exchange(next, next->next);
                if (!connection.concluded) ++cut;
                count(connection, CloseReason::cut_at_deadline);
                if (connection.claimed) {
                    ::shutdown(connection.fd.get(), SHUT_RDWR);
                } else {
                    release(stripe, connection).reset();
                    ++parked;
                }
            }
        }
    }
    gone(parked);
    return cut;
}

}  // namespace handover::http
