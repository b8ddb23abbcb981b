// SPDX-License-Identifier: MIT
#include "handoverd/client/status_feed.h"

#include "handoverd/client/event_reader.h"
#include "handoverd/client/json_fields.h"

#include <utility>

namespace handoverd {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds between_questions{1};
/// As the stream tells its readers.
constexpr milliseconds before_another_stream{250};
/// A stream says at least every 15 s that it is alive.
constexpr seconds longest_silence{20};
constexpr seconds to_connect{2};

}  // namespace

StatusFeed::StatusFeed(const AdminClient& admin, Callbacks callbacks)
    : admin_(admin), callbacks_(std::move(callbacks)), client_(admin.connection()) {
    client_.set_connection_timeout(to_connect);
    client_.set_read_timeout(longest_silence);
    thread_ = std::thread([this] { run(); });
}

StatusFeed::~StatusFeed() {
    {
        std::unique_lock lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
        // A client that is about to connect does not hear it, so it is told again.
        constexpr milliseconds again{10};
        while (!changed_.wait_for(lock, again, [this] { return ended_; })) client_.stop();
    }
    thread_.join();
}

void StatusFeed::run() {
    while (!is_stopping()) {
        const bool may_have_events = !generation_ || generation_ != without_events_;
        if (may_have_events && follow_events()) {
            wait(before_another_stream);
            continue;
        }
        if (is_stopping()) break;
        ask_for_status();
        if (may_have_events) without_events_ = generation_;
        wait(between_questions);
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
}

/// Until the stream ends. False if somebody answers who has none.
bool StatusFeed::follow_events() {
    int status = 0;
    bool is_stream = false;
    EventReader reader([this](const std::string& event, const std::string& data) {
        if (event != "status") return;
        const auto body = json::parse(data, nullptr, /*allow_exceptions=*/false);
        if (body.is_object()) take_status(body);
    });
    const auto result = client_.Get(
        "/events", {{"Accept", "text/event-stream"}},
        [&](const httplib::Response& response) {
            status = response.status;
            is_stream = status == 200 &&
                        response.get_header_value("Content-Type").starts_with("text/event-stream");
            return is_stream && !is_stopping();
        },
        [&](const char* bytes, std::size_t count) {
            return reader.read({bytes, count}) && !is_stopping();
        });
    if (status != 0 && !is_stream) return false;
    if (is_stopping()) return true;
    std::string fault;
    if (status == 0) (void)admin_.answer_in(result, fault);
    callbacks_.on_silence(fault);
    return true;
}

void StatusFeed::ask_for_status() {
    std::string fault;
    const auto status = admin_.answer_in(client_.Get("/status"), fault);
    if (is_stopping()) return;
    if (status)
        take_status(*status);
    else
        callbacks_.on_silence(fault);
}

void StatusFeed::take_status(const json& status) {
    generation_ = number_in(status, "generation");
    callbacks_.on_status(status);
}

void StatusFeed::wait(milliseconds at_most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [this] { return stopping_; });
}

bool StatusFeed::is_stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
}

}  // namespace handoverd
