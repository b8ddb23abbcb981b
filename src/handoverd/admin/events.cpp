// SPDX-License-Identifier: MIT
#include "handoverd/admin/events.h"

#include "handoverd/admin/status_json.h"
#include "handoverd/config/parse_number.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace handoverd {
namespace {

using handover::Generation;
using handover::Role;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// How often a status is sent at most. Connections come and go without telling, so that it is also
/// how often it is looked at.
constexpr milliseconds status_interval{500};
/// So that a proxy in between does not take the stream for a dead one.
constexpr std::chrono::seconds silence_max{15};

std::string event(const char* name, const std::string& data) {
    return "event: " + std::string(name) + "\ndata: " + data + "\n\n";
}

/// Does its generation take new requests? Then a client that comes again finds another one.
bool accepts(const Generation& generation) {
    const auto role = generation.status().role;
    return role == Role::starting || role == Role::probation || role == Role::serving;
}

/// What one client is sent. Belongs to the worker that answers it.
class EventStream {
  public:
    EventStream(const Generation& generation, std::uint64_t last_seen,
                std::shared_ptr<std::atomic<std::size_t>> streams)
        : generation_(generation), last_seen_(last_seen), streams_(std::move(streams)) {}
    ~EventStream() { --*streams_; }
    EventStream(const EventStream&) = delete;
    EventStream& operator=(const EventStream&) = delete;

    /// Waits for something to send, for half a second at most. False when the client is gone.
    bool go_on(httplib::DataSink& sink) {
        // Asked first: what happens before it stops is sent by this stream, or by the next one.
        const bool last = !accepts(generation_);
        std::string text;
        if (!std::exchange(begun_, true)) text = "retry: 250\n\n" + changed_status();
        for (const auto& next : generation_.wait_for_events(last_seen_, timeout(last, text))) {
            last_seen_ = next.id;
            text += "id: " + std::to_string(next.id) + "\n" +
                    event("lifecycle", one_line(as_json(next)));
        }
        const auto now = steady_clock::now();
        if (now >= next_status_ && !last) text += changed_status();
        if (text.empty() && now - last_sent_ >= silence_max) text = ": alive\n\n";
        if (!text.empty()) last_sent_ = now;
        if (!text.empty() && !sink.write(text.data(), text.size())) return false;
        if (last) sink.done();
        return true;
    }

  private:
    [[nodiscard]] milliseconds timeout(bool last, const std::string& unsent) const {
        if (last || !unsent.empty()) return milliseconds(0);
        const auto left = std::chrono::ceil<milliseconds>(next_status_ - steady_clock::now());
        return std::max(left, milliseconds(0));
    }

    /// Empty if it is the same as before.
    std::string changed_status() {
        next_status_ = steady_clock::now() + status_interval;
        auto status = status_json(generation_);
        const auto now = std::exchange(status["now_ms"], nullptr);
        if (status == status_) return {};
        status_ = status;
        status["now_ms"] = now;
        return event("status", one_line(status));
    }

    const Generation& generation_;
    std::uint64_t last_seen_;
    const std::shared_ptr<std::atomic<std::size_t>> streams_;
    bool begun_ = false;
    steady_clock::time_point next_status_;
    steady_clock::time_point last_sent_ = steady_clock::now();
    nlohmann::json status_;  ///< as it was sent last, without the time
};

/// From now on, unless the client says where it was.
std::uint64_t last_seen(const httplib::Request& request, const Generation& generation) {
    const auto text = request.get_header_value("Last-Event-ID");
    return parse_number<std::uint64_t>(text).value_or(generation.last_event_id());
}

}  // namespace

void add_events_route(handover::http::Server& admin, const Generation& generation,
                      std::size_t streams_max) {
    auto streams = std::make_shared<std::atomic<std::size_t>>(0);
    admin.Get("/events", [&generation, streams, streams_max](const httplib::Request& request,
                                                             httplib::Response& response) {
        response.set_header("Cache-Control", "no-store");
        if (++*streams > streams_max) {
            --*streams;
            response.status = 503;
            return response.set_content("there are " + std::to_string(streams_max) +
                                            " streams already, of one thread each (--threads)\n",
                                        "text/plain");
        }
        const auto stream =
            std::make_shared<EventStream>(generation, last_seen(request, generation), streams);
        response.set_chunked_content_provider(
            "text/event-stream",
            [stream](std::size_t, httplib::DataSink& sink) { return stream->go_on(sink); });
    });
}

}  // namespace handoverd
