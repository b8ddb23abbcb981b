// SPDX-License-Identifier: MIT
#include "http/engine.h"

#include "handover/error.h"
#include "http/error_response.h"
#include "http/request_text.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace handover::http {
namespace {

constexpr std::chrono::milliseconds sweep_every{100};
constexpr std::chrono::milliseconds watch_every{5};

/// epoll's event data: a connection has its generation, never 0, in the upper half; a listener is a
/// small number; and this is the end.
constexpr std::uint64_t stop_data = 0xffffffffU;

UniqueFd checked(int fd, const char* what) {
    if (fd < 0) throw os_error(what, errno);
    return UniqueFd(fd);
}

std::size_t workers_wanted() {
    return std::max(2U, std::thread::hardware_concurrency());
}

void signal_event(const UniqueFd& event) {
    (void)::eventfd_write(event.get(), 1);
}

}  // namespace

Engine::Engine(const ServerOptions& options, Responder& responder)
    : options_(options),
      epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "cannot create an epoll instance")),
      stop_event_(checked(::eventfd(0, EFD_CLOEXEC), "cannot create an eventfd")),
      maintenance_event_(
          checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "cannot create an eventfd")),
      table_(epoll_.get(),
             {[this] { report_if_drained(); },
              [this](ConnectionTable::Detached& one) { return give(one); },
              [this](const ConnectionTable::TimedOut& one) { tell_timeout(one); }},
             counters_),
      acceptor_(epoll_.get(), table_, options.admits,
                [this](const std::string& what) {
                    if (options_.on_error) options_.on_error(what);
                }),
      handler_(options, responder, table_.giving(), counters_),
      slow_client_limit_(std::max(workers_wanted(), options.threads_max) / 2),
      workers_(workers_wanted(), options.threads_max,
               {[this](Workers::Worker& worker) { work(worker); },
                [this] { raise_maintenance_level(MaintenanceLevel::watching); },
                [this](const epoll_event& event) { give_back(event); },
                [this](const std::string& what) {
                    if (options_.on_error) options_.on_error(what);
                }}) {
    epoll_event event{};
    event.events = EPOLLIN;  // level-triggered: it wakes every worker, not just one
    event.data.u64 = stop_data;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_event_.get(), &event) != 0)
        throw os_error("cannot add to an epoll instance", errno);
}

Engine::~Engine() {
    acceptor_.stop();
    {
        const std::lock_guard lock(drain_mutex_);
        drained_ = nullptr;  // whom it would tell may be gone before us
    }
    stopping_ = true;
    signal_event(maintenance_event_);
    if (maintenance_thread_.joinable()) maintenance_thread_.join();  // first: it starts workers
    signal_event(stop_event_);
    table_.cut_all();  // whoever waits for a client in the middle of a message gives up
    workers_.join();
    table_.cut_all();
}

void Engine::start_accepting(const std::vector<const Listener*>& listeners) {
    set_mode(Mode::serving, {}, nullptr);
    if (!maintenance_thread_.joinable()) {
        workers_.start();
        try {
            maintenance_thread_ = std::thread([this] { maintain(); });
        } catch (const std::system_error& error) {
            throw os_error("cannot start the housekeeping thread", error.code().value());
        }
    }
    acceptor_.start(listeners);
}

void Engine::accept_queued_and_stop() {
    acceptor_.accept_queued_and_stop();
    raise_maintenance_level(MaintenanceLevel::sweeping);
}

// ---- Workers

void Engine::work(Workers::Worker& worker) {
    ReceiveBuffer input(options_.head_bytes_max);
    for (;;) {
        if (!worker.events.wait(epoll_.get())) continue;
        workers_.begin(worker);
        while (const auto event = worker.events.next()) {
            if (event->data.u64 == stop_data) return;
            Workers::turn_to_next(worker);
            serve(*event, input);
        }
        if (!workers_.end(worker)) return;
    }
}

void Engine::give_back(const epoll_event& event) {
    if (event.data.u64 < stop_data)
        acceptor_.report_again(event.data.u64);
    else if (event.data.u64 > stop_data)  // the end is level-triggered
        table_.report_again(event);
}

void Engine::serve(const epoll_event& event, ReceiveBuffer& input) {
    if (event.data.u64 < stop_data) {
        acceptor_.accept_from(event.data.u64);
        return raise_maintenance_level(MaintenanceLevel::sweeping);
    }
    Connection* connection = table_.claim(event);
    if (connection == nullptr) return;
    const auto [next, ending, waiting] = connection->waiting == Waiting::for_client_close
                                             ? ConnectionHandler::discard(*connection, input)
                                             : handler_.handle_ready(*connection, input);
    const auto park = [&](Waiting for_what, ConnectionTable::Time time) {
        table_.park(*connection, for_what, time, input.exhausted());
    };
    switch (next) {
        case ConnectionHandler::Next::park:
            return park(waiting, ConnectionTable::Time::begins);
        case ConnectionHandler::Next::park_on:
            return park(waiting, ConnectionTable::Time::runs_on);
        case ConnectionHandler::Next::move:
            return park(Waiting::for_request, ConnectionTable::Time::begins);
        case ConnectionHandler::Next::linger:
            table_.conclude(*connection, ending);
            return park(Waiting::for_client_close, ConnectionTable::Time::runs_on);
        case ConnectionHandler::Next::close:
            return table_.close(*connection, ending);
    }
}

// ---- Housekeeping

/// Cheap when there is nothing to raise, which is nearly always: once per request, at most.
void Engine::raise_maintenance_level(MaintenanceLevel at_least) {
    auto now = maintenance_level_.load();
    while (now < at_least)
        if (maintenance_level_.compare_exchange_weak(now, at_least))
            return signal_event(maintenance_event_);
}

int Engine::maintenance_timeout_ms() const {
    switch (maintenance_level_.load()) {
        case MaintenanceLevel::asleep:
            return -1;
        case MaintenanceLevel::sweeping:
            return static_cast<int>(sweep_every.count());
        case MaintenanceLevel::watching:
            break;
    }
    return static_cast<int>(watch_every.count());
}

void Engine::maintain() {
    ::pthread_setname_np(::pthread_self(), "http-house");
    auto next_sweep = Clock::now();
    while (!stopping_) {
        pollfd event{maintenance_event_.get(), POLLIN, 0};
        const bool woken = ::poll(&event, 1, maintenance_timeout_ms()) > 0;
        eventfd_t count = 0;
        if (woken) (void)::eventfd_read(maintenance_event_.get(), &count);
        if (maintenance_level_ == MaintenanceLevel::watching) watch_workers();
        const auto now = Clock::now();
        if (now < next_sweep && !closing()) continue;
        next_sweep = now + sweep_every;
        table_.sweep(cutoffs(now), closing() ? CloseReason::drained : CloseReason::timed_out);
        workers_.reap();
        const bool paused = acceptor_.resume(now);
        // Look again after going to sleep: a connection may have come in between.
        auto sweeping = MaintenanceLevel::sweeping;
        if (!paused && table_.open() == 0 &&
            maintenance_level_.compare_exchange_strong(sweeping, MaintenanceLevel::asleep) &&
            (table_.open() > 0 || acceptor_.paused()))
            raise_maintenance_level(MaintenanceLevel::sweeping);
    }
}

void Engine::watch_workers() {
    workers_.balance();
    if (workers_.need_watching()) return;
    maintenance_level_ = MaintenanceLevel::sweeping;
    if (workers_.need_watching())
        raise_maintenance_level(MaintenanceLevel::watching);  // a worker saw `watching` still
}

ConnectionTable::Cutoffs Engine::cutoffs(Clock::time_point now) {
    auto idle = now - options_.idle_timeout;
    if (closing()) {
        const std::lock_guard lock(drain_mutex_);
        // A connection that came to rest after the drain began has the whole grace before it.
        if (now - closing_since_ >= idle_grace_) idle = std::max(idle, now - idle_grace_);
    }
    return {idle, now - options_.head_timeout, now - options_.body_timeout, now - options_.linger};
}

// ---- Other generations

void Engine::adopt(ParkedConnection connection) {
    sockaddr_storage remote{};
    socklen_t length = sizeof remote;
    if (::getpeername(connection.fd.get(), reinterpret_cast<sockaddr*>(&remote), &length) != 0)
        return table_.count_stillborn(CloseReason::closed_by_client);  // it was reset on the way
    table_.admit(std::move(connection.fd), acceptor_.number_of(connection.listener),
                 SocketName(remote), std::move(connection.unread), connection.close_after_response);
    raise_maintenance_level(MaintenanceLevel::sweeping);
}

void Engine::tell_timeout(const ConnectionTable::TimedOut& one) {
    if (options_.on_answer)
        tell_answer(options_, one.remote, one.unread, static_cast<int>(Refusal::request_timeout), 0,
                    one.since);
}

bool Engine::give(ConnectionTable::Detached& connection) {
    const auto listener = acceptor_.name_of(connection.listener);
    const std::lock_guard lock(drain_mutex_);
    if (!give_) return false;
    give_({std::move(connection.fd), listener, std::move(connection.unread)});
    return true;
}

void Engine::drain(const Service::Drain& how, std::function<void()> drained) {
    set_mode(how.give ? Mode::giving : Mode::closing, how, std::move(drained));
    signal_event(maintenance_event_);
    report_if_drained();
}

void Engine::set_mode(Mode mode, const Service::Drain& how, std::function<void()> drained) {
    {
        const std::lock_guard lock(drain_mutex_);
        if (mode == Mode::closing && mode_ != Mode::closing) {
            closing_since_ = Clock::now();
            idle_grace_ = how.idle_grace;
        }
        idle_grace_ = std::min(idle_grace_, how.idle_grace);
        drained_ = std::move(drained);
        give_ = how.give;
        mode_ = mode;
    }
    if (mode == Mode::giving)
        table_.start_giving();
    else
        table_.stop_giving();
}

void Engine::report_if_drained() {
    std::function<void()> drained;
    {
        const std::lock_guard lock(drain_mutex_);
        if (mode_ == Mode::serving || table_.open() > 0) return;
        drained = std::exchange(drained_, nullptr);
    }
    if (drained) drained();
}

}  // namespace handover::http
