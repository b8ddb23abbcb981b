// SPDX-License-Identifier: MIT
#include "handover/printable.h"
#include "handoverd/client/admin_client.h"
#include "handoverd/client/commands.h"
#include "handoverd/client/json_fields.h"
#include "handoverd/client/main_process_watch.h"
#include "handoverd/client/progress_line.h"
#include "handoverd/client/progress_text.h"
#include "handoverd/client/status_screen.h"
#include "handoverd/client/status_watch.h"
#include "handoverd/client/terminal.h"
#include "handoverd/log/journal.h"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <httplib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace handoverd {
namespace {

using nlohmann::json;

/// One line for the terminal, whatever the one who answered has put into it.
template <typename... Arguments>
void say(std::FILE* to, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    const auto line = fmt::format(format, std::forward<Arguments>(arguments)...);
    fmt::print(to, "{}\n", handover::printable(line));
}

/// A reload ends within the ready timeout plus what the service manager takes; this is more.
constexpr std::chrono::seconds margin{30};

using Request = std::function<httplib::Result(httplib::Client&)>;

httplib::Result send(const Options& options, const Request& request) {
    auto client = admin_client(options);
    const auto longest = std::max(options.generation.ready_timeout,
                                  options.generation.drain_timeout + options.generation.probation);
    client.set_read_timeout(std::chrono::duration_cast<std::chrono::seconds>(longest) + margin);
    return request(client);
}

/// The answer's JSON, or nullopt after saying why there is none.
std::optional<json> answer_or_fault(const httplib::Result& result, const Options& options) {
    std::string fault;
    auto answer = answer_in(result, options, fault);
    if (!answer) say(stderr, "handoverd: {}", fault);
    return answer;
}

bool is_served(const Options& options) {
    constexpr std::chrono::seconds timeout{2};
    auto client = admin_client(options);
    client.set_read_timeout(timeout);
    return static_cast<bool>(client.Get("/status"));
}

httplib::Result send_reload(const Options& options) {
    const ProgressLine progress(options);
    return send(options, [&options](httplib::Client& client) {
        const MainProcessWatch answerer([&options] { return is_served(options); },
                                        [&client] { client.stop(); });
        return client.Post("/reload", "", "application/json");
    });
}

/// When the generation that is asked dies, the question dies with it, and whoever serves then is
/// asked.
httplib::Result await_end_of_probation(const Options& options) {
    const Request question = [](httplib::Client& client) {
        return client.Get("/status?after=probation");
    };
    const ProgressLine progress(options);
    auto result = send(options, question);
    if (!result || result->status != 200) result = send(options, question);
    return result;
}

std::string reason_or_none(const std::string& reason) {
    return reason.empty() ? "no reason given" : reason;
}

bool survived_probation(const Options& options, std::int64_t to) {
    const auto answer = answer_or_fault(await_end_of_probation(options), options);
    if (!answer) return false;
    if (number_in(*answer, "generation").value_or(0) >= to) return true;
    say(stderr, "{}", reason_or_none(text_in(*answer, "last_handover")));
    return false;
}

/// People like to see the end of it; whoever runs this in a script is told at once.
int wait_for_drain(const Options& options, std::int64_t from) {
    std::optional<json> status;
    {
        ProgressLine progress(options);
        status = progress.await_drained(from, options.generation.drain_timeout + margin);
    }
    if (!status) return 0;
    const auto serves = number_in(*status, "generation");
    if (serves == from) {
        say(stderr, "{}", reason_or_none(text_in(*status, "last_handover")));
        return 1;
    }
    say(stderr, "{}", drain_result(*status, from));
    return 0;
}

}  // namespace

int reload(const Options& options) {
    const auto answer = answer_or_fault(send_reload(options), options);
    if (!answer) return 1;
    const bool succeeded = answer->value("succeeded", json()) == true;
    // As ExecReload= we would tell the journal what the generation that was asked has told it.
    if (!stderr_is_the_journal())
        say(succeeded ? stdout : stderr, "{}", reason_or_none(text_in(*answer, "message")));
    if (!succeeded) return 1;
    std::fflush(stdout);
    if (!options.wait) return wait_for_drain(options, number_in(*answer, "from").value_or(0));
    const auto to = number_in(*answer, "to").value_or(0);
    if (!survived_probation(options, to)) return 1;
    say(stdout, "generation {} is the main process: its probation is over", to);
    return 0;
}

int status(const Options& options) {
    if (options.watch) return watch(options);
    const auto result =
        send(options, [](httplib::Client& client) { return client.Get("/status"); });
    const auto answer = answer_or_fault(result, options);
    if (!answer) return 1;
    if (result->status != 200) {
        say(stderr, "handoverd: {} answers {}: {}", options.admin, result->status,
            reason_or_none(text_in(*answer, "message")));
        return 1;
    }
    if (options.status_as_json)
        // In ASCII, JSON escapes all that printable() would.
        fmt::print("{}\n", answer->dump(2, ' ', /*ensure_ascii=*/true));
    else
        fmt::print("{}", status_screen(*answer, view_of(STDOUT_FILENO), now_of(*answer)));
    return 0;
}

}  // namespace handoverd
